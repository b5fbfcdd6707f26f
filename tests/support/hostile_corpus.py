#!/usr/bin/env python3
"""hostile_corpus.py FOLDER STEP MUTATIONS -- documents that no parser should be given.

A small sound document of each format; each of them cut short at every STEP per cent and
changed at random MUTATIONS times; and bombs: deep nesting, entities, archives that unpack
to more than anybody has. The same numbers give the same bytes."""
import gzip, io, os, random, sys, tarfile, zipfile

TEXT = ["The lighthouse was built in 1871 by Ingrid Halvorsen.",
        "Its lamp burns oil from the harbour, and nobody knows why.",
        "The keeper writes down each ship that passes at night."]
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
O = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
T = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"


def packed(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, text in members.items():
            z.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), text, method)
    return out.getvalue()


def docx(body, before=""):
    return packed({"word/document.xml": f'<?xml version="1.0"?>{before}'
                   f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'})


def runs(texts):
    return "".join(f"<w:p><w:r><w:t>{t}</w:t></w:r></w:p>" for t in texts)


def pptx():
    slide = (f'<p:sld xmlns:p="{P}" xmlns:a="{A}"><p:cSld><p:spTree><p:sp><p:txBody>'
             + "".join(f"<a:p><a:r><a:t>{t}</a:t></a:r></a:p>" for t in TEXT)
             + "</p:txBody></p:sp></p:spTree></p:cSld></p:sld>")
    return packed({
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{R}"><p:sldIdLst>'
        '<p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{RELS}"><Relationship '
        f'Id="rId1" Type="{R}/slide" Target="slides/slide1.xml"/></Relationships>',
        "ppt/slides/slide1.xml": slide})


def xlsx():
    rows = "".join(f'<row r="{i + 1}"><c r="A{i + 1}" t="inlineStr"><is><t>{t}</t></is></c>'
                   f'<c r="B{i + 1}"><v>{i}</v></c></row>' for i, t in enumerate(TEXT))
    return packed({
        "xl/workbook.xml": f'<workbook xmlns="{S}" xmlns:r="{R}"><sheets><sheet '
        'name="Ships" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELS}"><Relationship '
        f'Id="rId1" Type="{R}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{S}"><sheetData>{rows}'
        "</sheetData></worksheet>"})


def odt():
    body = "".join(f"<text:p>{t}</text:p>" for t in TEXT)
    return packed({
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f'<office:document-content xmlns:office="{O}" xmlns:text="{T}">'
        f"<office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>"})


def epub():
    page = "<html><body><h1>Light</h1>" + "".join(f"<p>{t}</p>" for t in TEXT)
    return packed({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
        'container"><rootfiles><rootfile full-path="a.opf" media-type="application/'
        'oebps-package+xml"/></rootfiles></container>',
        "a.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" '
        'href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref '
        'idref="a"/></spine></package>',
        "a.xhtml": page + "</body></html>"})


def mail():
    return ("From: Ada <ada@example.org>\r\nTo: Bo <bo@example.org>\r\nSubject: =?utf-8?q?"
            "L=C3=A4mp?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="
            "\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-"
            "Transfer-Encoding: quoted-printable\r\n\r\n" + "=20\r\n\r\n".join(TEXT) +
            "\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "PHA+QSBwYWdlIG9mIHdvcmRzLjwvcD4=\r\n--b--\r\n").encode()


def pdf():
    lines = "".join(f"BT /F1 12 Tf 72 {720 - 20 * i} Td ({t}) Tj ET\n"
                    for i, t in enumerate(TEXT))
    bodies = ["<< /Type /Catalog /Pages 2 0 R >>",
              "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
              "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
              "/Resources << /Font << /F1 5 0 R >> >> >>",
              f"<< /Length {len(lines)} >>\nstream\n{lines}endstream",
              "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, at = b"%PDF-1.4\n", []
    for i, body in enumerate(bodies, 1):
        at.append(len(out))
        out += f"{i} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{a:010d} 00000 n \n" for a in at)
    return out + (f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R "
                  f">>\nstartxref\n{len(out)}\n%%EOF\n").encode()


def tar_gz():
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as g:
        with tarfile.open(fileobj=g, mode="w") as t:
            for name, data in (("a.md", b"# Light\n\n" + TEXT[0].encode()),
                               ("b.docx", docx(runs(TEXT)))):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sound():
    page = "<!doctype html><title>Light &amp; lamp</title><h1>Light</h1>" + "".join(
        f"<p>{t}" for t in TEXT) + "<table><tr><td>1871<td>oil</table><pre>a\n b</pre>"
    return {
        "txt": "\n\n".join(TEXT).encode(), "html": page.encode(),
        "md": ("# Light\n\n" + "\n\n".join(TEXT) + "\n\n- a\n- b\n\n```\nx\n```\n").encode(),
        "csv": "ship,year\nAda,1871\nBo,1872\n".encode() * 20,
        "jsonl": b'{"ship": "Ada", "note": "passes at night"}\n' * 20,
        "docx": docx(runs(TEXT)), "pptx": pptx(), "xlsx": xlsx(), "odt": odt(),
        "epub": epub(), "eml": mail(), "pdf": pdf(), "tar.gz": tar_gz(),
        "mbox": b"From ada@example.org Mon Jan  1 12:00:00 2024\n" + mail() + b"\n",
        "zip": packed({"a.md": "# Light\n\n" + TEXT[0], "b.html": page}),
    }


def bombs():
    zeros, laughs = b"\0" * (100 << 20), "".join(
        f'<!ENTITY l{i} "{"&l%d;" % (i - 1) * 10}">' for i in range(1, 10))
    nested = packed({"a.txt": "words " * 100})
    for i in range(50):
        nested = packed({f"{i}.zip": nested})
    many = packed({f"{i}.txt": b"words " * 100 for i in range(20000)})
    flat = packed({"zeros.txt": b"words\n" * (200 << 20 >> 3)})
    return {
        "deep.html": b"<div>" * 300000 + b"words", "deep.md": b"> " * 100000 + b"words",
        "lists.html": b"<ul><li>" * 100000 + b"words", "table.html": b"<td>a" * 500000,
        "stars.md": b"*a " * 300000, "links.md": b"[" * 300000, "line.txt": b"w" * (8 << 20),
        "lines.txt": b"a\n\n" * (3 << 20), "rule.md": b"|" * 500000 + b"\n|" + b"-|" * 500000,
        "entities.html": b"<p>" + b"&amp;" * 2000000, "nul.txt": b"words " + b"\0" * 100000,
        "laughs.docx": docx("<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>",
                            f'<!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]>'),
        "deep.docx": docx("<w:tbl><w:tr><w:tc>" * 100000 + runs(TEXT)),
        "zeros.zip": packed({f"{i}.txt": zeros for i in range(8)}), "nested.zip": nested,
        "many.zip": many, "flat.zip": flat, "zeros.gz": gzip.compress(zeros * 5, mtime=0),
        "zeros.docx": docx("<w:p><w:r><w:t>" + "a " * (100 << 20) + "</w:t></w:r></w:p>"),
        "parts.eml": b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" +
                     b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 20000,
        "header.eml": b"Received: a\n" + b"Subject: " + b"x" * (8 << 20) + b"\n\nwords\n",
        "xref.pdf": pdf().replace(b"startxref\n", b"startxref\n9"),
        "loop.pdf": pdf().replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
        "count.pdf": pdf().replace(b"/Count 1", b"/Count 99999999"),
    }


def mutated(rng, data):
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at, what = rng.randrange(len(out)), rng.randrange(4)
        if what == 0: out[at] = rng.randrange(256)
        elif what == 1: out[at:at + rng.randint(1, 16)] = b""
        elif what == 2: out[at:at] = out[at:at + rng.randint(1, 64)] * rng.randint(1, 4)
        else: out[at:at] = rng.choice([b"\0", b"\xff" * 4, b"<", b"&#", b"9" * 12, b"\n\n"])
        if not out: out = bytearray(data)
    return bytes(out)


def main():
    folder, step, mutations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(folder)
    def write(name, data):
        with open(os.path.join(folder, name), "wb") as f: f.write(data)
    for format, data in sound().items():
        rng = random.Random(format)
        write(f"sound.{format}", data)
        for per_cent in range(0, 100, step):
            write(f"cut-{per_cent:02}.{format}", data[:len(data) * per_cent // 100])
        for i in range(mutations):
            write(f"mutated-{i:04}.{format}", mutated(rng, data))
    for name, data in bombs().items():
        write(f"bomb-{name}", data)


main()
