/* app.js -- asks, shows the answer as it comes, opens what a citation rests on.
 *
 * Text of documents and of the model gets into the page through textContent alone; no
 * function here makes markup of it. */
'use strict';

const at = id => document.getElementById(id);
const keyStore = window.sessionStorage;
let going = null;               // the request in work

function headers(more) {
  const key = keyStore.getItem('key');
  return key ? { ...more, Authorization: 'Bearer ' + key } : { ...more };
}

async function call(path, options = {}) {
  const reply = await fetch(path, { ...options, headers: headers(options.headers) });
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.error ? body.error.message : 'status ' + reply.status);
  return body;
}

function make(name, text, attributes = {}) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/* ---- streams ---------------------------------------------------------------------- */

/* Gives each event of a body as {event, data}. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split('\n');
      const field = name => lines.filter(l => l.startsWith(name + ': '))
        .map(l => l.slice(name.length + 2)).join('\n');
      if (field('data')) yield { event: field('event'), data: field('data') };
    }
  }
}

/* ---- asking ----------------------------------------------------------------------- */

/* The answer's text, each known [n] as a button. */
function showText(text, citations) {
  const out = at('text');
  out.replaceChildren();
  for (const part of text.split(/(\[\d+\])/)) {
    const n = /^\[(\d+)\]$/.exec(part);
    const cited = n && citations.filter(c => c.n === Number(n[1]));
    if (!cited || !cited.length) { out.append(part); continue; }
    const button = make('button', n[1], { type: 'button', class: 'cite', 'aria-pressed': 'false',
      'aria-label': 'Citation ' + n[1] + ', ' + (cited[0].title || cited[0].document) });
    button.addEventListener('click', () => showPassage(button, cited));
    out.append(button);
  }
}

/* Where the words of a citation stand in a passage: white space may differ. */
function findWords(text, words) {
  const pattern = words.trim().split(/\s+/).map(w => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const found = words.trim() ? new RegExp(pattern.join('\\s+'), 'u').exec(text) : null;
  return found ? [found.index, found.index + found[0].length] : null;
}

/* The words cited; in bold those that the answer has word for word. */
function markWords(text, begin, end, quotes) {
  const mark = make('mark');
  let from = begin;
  for (const q of quotes) {
    const found = text.indexOf(q.text, from);
    if (found < 0 || found + q.text.length > end) continue;
    mark.append(text.slice(from, found), make('b', q.text));
    from = found + q.text.length;
  }
  mark.append(text.slice(from, end));
  return mark;
}

function showPassage(button, cited) {
  const passage = (at('answer').passages || []).find(p => p.rank === cited[0].passage);
  const text = passage ? passage.text : cited[0].text;
  const spans = cited.map(c => findWords(text, c.text)).filter(Boolean)
    .sort((a, b) => a[0] - b[0]);
  const quotes = (at('answer').quotes || []).filter(q => q.passage === cited[0].passage)
    .sort((a, b) => a.start - b.start);
  const out = at('words');
  let from = 0;
  out.replaceChildren();
  for (const [begin, end] of spans) {
    if (begin < from) continue;
    out.append(text.slice(from, begin), markWords(text, begin, end, quotes));
    from = end;
  }
  out.append(text.slice(from));
  const page = cited[0].page ? 'page ' + cited[0].page : '';
  at('source').textContent = [cited[0].document, page, cited[0].section]
    .filter(Boolean).join(' — ');
  for (const other of document.querySelectorAll('.cite'))
    other.setAttribute('aria-pressed', String(other === button));
  at('passage').hidden = false;
  at('passage').focus();
  const mark = out.querySelector('mark');
  if (mark) mark.scrollIntoView({ block: 'center' });
}

function showEnd(text, last) {
  const own = last.pith || {};
  at('answer').passages = own.passages;
  at('answer').quotes = own.quotes;
  showText(text, last.citations || []);
  const total = own.timings_ms ? Math.round(own.timings_ms.total) + ' ms' : '';
  at('note').textContent = [own.abstained ? 'The documents do not say.' : '', own.model, total]
    .filter(Boolean).join(' · ');
  at('stages').replaceChildren(...(own.stages || []).map(s => {
    const row = make('tr');
    row.append(make('td', s.stage), make('td', s.ms.toFixed(1)));
    return row;
  }));
}

async function ask(question) {
  const body = { stream: true, messages: [{ role: 'user', content: question }],
                 pith: { ground: !at('closed').checked } };
  const reply = await fetch('/v1/chat/completions', { method: 'POST', signal: going.signal,
    headers: headers({ 'Content-Type': 'application/json' }), body: JSON.stringify(body) });
  if (!reply.ok) throw new Error((await reply.json()).error.message);
  let text = '', last = {};
  for await (const { data } of events(reply.body)) {
    if (data === '[DONE]') break;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    if (chunk.pith) last = chunk;
    const delta = chunk.choices.length ? chunk.choices[0].delta.content : '';
    if (delta) { text += delta; at('text').textContent = text; }
  }
  showEnd(text, last);
}

function busy(on) {
  at('text').setAttribute('aria-busy', String(on));
  at('send').disabled = on;
  at('stop').hidden = !on;
}

async function onAsk(event) {
  event.preventDefault();
  const question = at('question').value.trim();
  if (!question || going) return;
  going = new AbortController();
  at('answer').hidden = false;
  at('passage').hidden = true;
  at('note').className = 'muted';
  at('note').textContent = '';
  at('text').textContent = '';
  at('stages').replaceChildren();
  busy(true);
  try {
    await ask(question);
  } catch (why) {
    at('note').textContent = why.name === 'AbortError' ? 'Stopped.' : why.message;
    at('note').className = 'muted bad';
  }
  going = null;
  busy(false);
}

/* ---- documents -------------------------------------------------------------------- */

let known = [];

function showDocuments() {
  const filter = at('filter').value.toLowerCase();
  at('documents').replaceChildren(...known
    .filter(d => (d.document + ' ' + d.title).toLowerCase().includes(filter))
    .slice(0, 500).map(d => {
      const row = make('li'), remove = make('button', 'Remove', { type: 'button',
        'aria-label': 'Remove ' + d.document });
      remove.addEventListener('click', () => removeDocument(d.document));
      const name = make('span', d.title || d.document);
      if (d.title && d.title !== d.document) name.append(make('small', d.document));
      row.append(name, remove);
      return row;
    }));
}

async function loadDocuments() {
  try {
    known = (await call('/v1/documents')).data;
    at('state').textContent = known.length === 1 ? '1 document' : known.length + ' documents';
    showDocuments();
  } catch (why) {
    at('state').textContent = why.message;
  }
}

async function removeDocument(name) {
  try {
    await call('/v1/documents/' + encodeURIComponent(name), { method: 'DELETE' });
    await loadDocuments();
  } catch (why) {
    at('told').textContent = why.message;
  }
}

function showJob(job) {
  const over = job.status === 'done' || job.status === 'failed';
  at('progress').hidden = over;
  at('progress').max = job.progress.total || 1;
  at('progress').value = job.progress.done;
  at('told').textContent = job.status + ': ' + job.documents.slice(0, 3).join(', ')
    + (job.error ? ' — ' + job.error : '');
  if (over) loadDocuments();
  return over;
}

async function follow(id) {
  for (;;) {
    if (showJob(await call('/v1/jobs/' + encodeURIComponent(id)))) return;
    await new Promise(done => setTimeout(done, 400));
  }
}

async function onFiles() {
  const form = new FormData();
  for (const file of at('files').files) form.append('file', file, file.name);
  at('files').value = '';
  try {
    await follow((await call('/v1/documents', { method: 'POST', body: form })).id);
  } catch (why) {
    at('progress').hidden = true;
    at('told').textContent = why.message;
  }
}

/* ---- theme and start -------------------------------------------------------------- */

function setTheme(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  at('theme').textContent = 'Theme: ' + theme;
  window.localStorage.setItem('theme', theme);
}

function nextTheme() {
  const all = ['system', 'light', 'dark'];
  const now = document.documentElement.dataset.theme || 'system';
  setTheme(all[(all.indexOf(now) + 1) % all.length]);
}

at('ask').addEventListener('submit', onAsk);
at('stop').addEventListener('click', () => going && going.abort());
at('question').addEventListener('keydown', e => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); onAsk(e); }
});
at('files').addEventListener('change', onFiles);
at('filter').addEventListener('input', showDocuments);
at('theme').addEventListener('click', nextTheme);
at('key').addEventListener('change', () => {
  keyStore.setItem('key', at('key').value.trim());
  loadDocuments();
});
setTheme(window.localStorage.getItem('theme') || 'system');
loadDocuments();
