/* Office, OpenDocument and EPUB files, made here. */
#include "packed.h"

#define TEXT "xmlns:w='urn:w' xmlns:r='urn:r'"
#define REL(id, type, target) "<Relationship Id='" id "' Type='http://x/" type "' " \
                              "Target='" target "'/>"
#define RELS(rels) "<Relationships>" rels "</Relationships>"

/* ---- docx -------------------------------------------------------------------------- */

static const char styles[] =
    "<w:styles " TEXT ">"
    "<w:style w:type='paragraph' w:styleId='berschrift1'><w:name w:val='heading 1'/>"
    "</w:style><w:style w:type='paragraph' w:styleId='Eigene'>"
    "<w:name w:val='Eigene'/><w:basedOn w:val='berschrift1'/>"
    "<w:pPr><w:outlineLvl w:val='1'/></w:pPr></w:style>"
    "<w:style w:type='paragraph' w:styleId='Erbt'><w:name w:val='Erbt'/>"
    "<w:basedOn w:val='Eigene'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Verzeichnis1'><w:name w:val='toc 1'/>"
    "</w:style></w:styles>";

static const char numbering[] =
    "<w:numbering " TEXT "><w:abstractNum w:abstractNumId='7'>"
    "<w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='decimal'/>"
    "<w:lvlText w:val='%1.'/></w:lvl>"
    "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/>"
    "<w:lvlText w:val='%1%2)'/></w:lvl></w:abstractNum>"
    "<w:num w:numId='3'><w:abstractNumId w:val='7'/></w:num></w:numbering>";

static const char notes[] =
    "<w:footnotes " TEXT "><w:footnote w:id='2'><w:p><w:r><w:t>The note.</w:t></w:r>"
    "</w:p></w:footnote></w:footnotes>";

/* The members of a document with that body. */
static const char *docx(Ctx *cx, const char *body)
{
    Str whole = ctx_printf(cx, "<w:document " TEXT "><w:body>%s</w:body></w:document>",
                           body);
    const Packed members[] = {
        { "_rels/.rels", RELS(REL("r1", "officeDocument", "word/document.xml")), 0 },
        { "docProps/core.xml", "<c><dc:title xmlns:dc='d'>A &amp; B</dc:title></c>", 0 },
        { "word/_rels/document.xml.rels",
          RELS(REL("r1", "styles", "styles.xml") REL("r2", "numbering", "numbering.xml")
               REL("r3", "footnotes", "/word/footnotes.xml")), 0 },
        { "word/document.xml", whole.p, 0 }, { "word/styles.xml", styles, 0 },
        { "word/numbering.xml", numbering, 0 }, { "word/footnotes.xml", notes, 0 },
        { "word/header1.xml", "<hdr><p><r><t>HEADER</t></r></p></hdr>", 0 },
    };
    return said(cx, "a.docx", ZIP(cx, members));
}

#define P(style, text) "<w:p><w:pPr><w:pStyle w:val='" style "'/></w:pPr><w:r><w:t>" \
                       text "</w:t></w:r></w:p>"
#define T(text) "<w:r><w:t xml:space='preserve'>" text "</w:t></w:r>"

static void headings_are_told_by_style_and_by_what_it_inherits(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(docx(&cx, P("berschrift1", "One") P("Erbt", "Two")
                             P("Verzeichnis1", "One ... 7") "<w:p>" T("Bo") T("dy &lt;1")
                             "</w:p><w:p><w:pPr><w:outlineLvl w:val='2'/></w:pPr>"
                             T("Three") "</w:p>"),
                        "= A & B\nH1 One\nH2 Two\nP Body <1\nH3 Three\n");
    ctx_end(&cx);
}

#define ITEM(depth, text) "<w:p><w:pPr><w:numPr><w:ilvl w:val='" depth "'/>" \
                          "<w:numId w:val='3'/></w:numPr></w:pPr>" T(text) "</w:p>"

static void list_items_have_the_number_that_word_shows(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(docx(&cx, ITEM("0", "a") ITEM("1", "b") ITEM("1", "c")
                             ITEM("0", "d") ITEM("1", "e")),
                        "= A & B\nI 1. a\nI 1a) b\nI 1b) c\nI 2. d\nI 2a) e\n");
    ctx_end(&cx);
}

static void the_text_is_the_final_one(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(
        docx(&cx, "<w:p>" T("He ") "<w:del><w:r><w:delText>said</w:delText></w:r></w:del>"
             "<w:ins>" T("wrote") "</w:ins><w:moveFrom>" T("gone") "</w:moveFrom></w:p>"
             "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>" T("One ") "</w:p>"
             "<w:p>" T("line.") "</w:p>"
             "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>"),
        "= A & B\nP He wrote\nP One line.\n");
    ctx_end(&cx);
}

static void a_text_box_is_read_once_and_a_note_behind_its_paragraph(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(
        docx(&cx, "<w:p>" T("Before") "<w:r><mc:AlternateContent xmlns:mc='m'><mc:Choice>"
             "<w:txbxContent><w:p>" T("boxed") "</w:p></w:txbxContent></mc:Choice>"
             "<mc:Fallback><w:txbxContent><w:p>" T("boxed") "</w:p></w:txbxContent>"
             "</mc:Fallback></mc:AlternateContent></w:r>" T(" and after")
             "<w:r><w:footnoteReference w:id='2'/></w:r></w:p><w:p>" T("Last") "</w:p>"),
        "= A & B\nP boxed\nP Before and after\nP The note.\nP Last\n");
    ctx_end(&cx);
}

#define CELL(properties, text) "<w:tc><w:tcPr>" properties "</w:tcPr><w:p>" T(text) \
                               "</w:p></w:tc>"

static void merged_cells_are_said_in_each_row(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(
        docx(&cx, "<w:tbl><w:tr>" CELL("<w:vMerge w:val='restart'/>", "Fees")
             CELL("<w:gridSpan w:val='2'/>", "both") "</w:tr><w:tr>"
             CELL("<w:vMerge/>", "") CELL("", "old") CELL("", "new") "</w:tr>"
             "<w:tr><w:trPr><w:del/></w:trPr>" CELL("", "x") CELL("", "y") "</w:tr>"
             "<w:tr>" CELL("", "a whole row") "</w:tr></w:tbl>"),
        "= A & B\nR Fees | both\nR Fees | old | new\nP a whole row\n");
    ctx_end(&cx);
}

static void what_is_no_word_document_is_told_so(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = { { "a.txt", "hello", 0 } };
    Str zip = ZIP(&cx, members);
    assert_string_equal(said(&cx, "a.docx", zip), "! it holds no word/document.xml: this "
                        "is no Word document\n");
    zip.n /= 2;
    assert_string_equal(said(&cx, "a.docx", zip), "! the file is damaged or cut off: it "
                        "ends in no ZIP directory\n");
    ctx_end(&cx);
}

static void entities_do_not_grow(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = {
        { "word/document.xml",
          "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
          "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>"
          "<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
          "<d><p><r><t>x&c;&f;y</t></r></p></d>", 0 } };
    assert_string_equal(said(&cx, "a.docx", ZIP(&cx, members)), "P xy\n");
    ctx_end(&cx);
}

static void depth_is_limited(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    buf_add(&b, STR("<d><p><r><t>first</t></r></p>"));
    for (int i = 0; i < 20000; i++) buf_add(&b, STR("<txbxContent><p>"));
    const Packed members[] = { { "word/document.xml", b.p, 0 } };
    assert_string_equal(said(&cx, "a.docx", ZIP(&cx, members)), "P first\n");
    buf_free(&b);
    ctx_end(&cx);
}

/* ---- pptx -------------------------------------------------------------------------- */

#define SHAPE(type, text) "<p:sp><p:nvPr><p:ph type='" type "'/></p:nvPr>" \
                          "<p:txBody>" text "</p:txBody></p:sp>"
#define LINE(text) "<a:p><a:r><a:t>" text "</a:t></a:r></a:p>"
#define SLIDE(shapes) "<p:sld xmlns:p='p' xmlns:a='a'>" shapes "</p:sld>"

static const Packed slides[] = {
    { "ppt/presentation.xml", "<p:x xmlns:p='p' xmlns:r='r'><p:sldIdLst>"
      "<p:sldId id='256' r:id='r2'/><p:sldId id='257' r:id='r1'/>"
      "</p:sldIdLst></p:x>", 0 },
    { "ppt/_rels/presentation.xml.rels", RELS(REL("r1", "slide", "slides/slide1.xml")
      REL("r2", "slide", "slides/slide2.xml")), 0 },
    { "ppt/slides/slide1.xml", SLIDE("<p:sp><p:txBody>" LINE("no title")
      "</p:txBody></p:sp>" SHAPE("sldNum", LINE("2"))), 0 },
    { "ppt/slides/slide2.xml", SLIDE(SHAPE("body", LINE("one") LINE("two"))
      SHAPE("title", LINE("The title")) "<p:graphicFrame><a:tbl>"
      "<a:tr><a:tc><a:txBody>" LINE("a") "</a:txBody></a:tc><a:tc><a:txBody>" LINE("b")
      "</a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>"), 0 },
    { "ppt/slides/_rels/slide2.xml.rels",
      RELS(REL("r9", "notesSlide", "../notesSlides/n.xml")), 0 },
    { "ppt/notesSlides/n.xml", SLIDE(SHAPE("body", LINE("Say hello."))
      SHAPE("sldNum", LINE("1"))), 0 },
};

static void a_slide_is_a_page_with_its_title_and_notes(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.pptx", ZIP(&cx, slides)),
                        "H1@1 The title\nI@1 one\nI@1 two\nR@1 a | b\nP@1 Say hello.\n"
                        "H1@2 Slide 2\nP@2 no title\n");
    ctx_end(&cx);
}

/* ---- xlsx -------------------------------------------------------------------------- */

static const Packed workbook[] = {
    { "xl/workbook.xml", "<workbook xmlns:r='r'><sheets><sheet name='Stock' sheetId='1' "
      "r:id='r1'/></sheets></workbook>", 0 },
    { "xl/_rels/workbook.xml.rels", RELS(REL("r1", "worksheet", "worksheets/s.xml")
      REL("r2", "sharedStrings", "strings.xml") REL("r3", "styles", "styles.xml")), 0 },
    { "xl/strings.xml", "<sst><si><t>Item</t></si><si><r><t>Since</t></r><rPh><t>x</t>"
      "</rPh></si><si><t>Share</t></si><si><t>Bolt</t></si></sst>", 0 },
    { "xl/styles.xml", "<styleSheet><numFmts><numFmt numFmtId='170' "
      "formatCode='[Red]&quot;day&quot; dd\\.mm\\.yy'/></numFmts><cellXfs>"
      "<xf numFmtId='0'/><xf numFmtId='170'/><xf numFmtId='9'/><xf numFmtId='22'/>"
      "</cellXfs></styleSheet>", 0 },
    { "xl/worksheets/s.xml", "<worksheet><sheetData>"
      "<row><c r='A1' t='inlineStr'><is><t>All we have</t></is></c></row>"
      "<row><c r='A2' t='s'><v>0</v></c><c r='B2' t='s'><v>1</v></c><c r='D2' t='s'>"
      "<v>2</v></c></row>"
      "<row><c r='A3' t='s'><v>3</v></c><c r='B3' s='1'><v>45356</v></c>"
      "<c r='D3' s='2'><f>1/4</f><v>0.25</v></c></row>"
      "<row><c r='A4' t='s'><v>999</v></c><c r='B4' s='3'><v>60.5</v></c>"
      "<c r='C4'><v>0.30000000000000004</v></c><c r='D4' t='b'><v>1</v></c></row>"
      "</sheetData></worksheet>", 0 },
};

static void a_row_names_its_columns_and_dates_are_dates(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.xlsx", ZIP(&cx, workbook)),
                        "H1 Stock\nR All we have\nR Item | Since | Share\n"
                        "R Item: Bolt | Since: 2024-03-05 | Share: 25%\n"
                        "R Since: 1900-02-28 12:00 | 0.3 | Share: TRUE\n");
    ctx_end(&cx);
}

/* ---- OpenDocument ------------------------------------------------------------------ */

#define ODF(body) "<o:document-content xmlns:o='o' xmlns:text='t' xmlns:table='b' " \
                  "xmlns:draw='d' xmlns:presentation='p'><o:body>" body "</o:body>" \
                  "</o:document-content>"

static void an_open_document_text_is_read(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = {
        { "mimetype", "application/vnd.oasis.opendocument.text", 0 },
        { "meta.xml", "<m><title>T</title></m>", 0 },
        { "content.xml", ODF(
          "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
          "<text:h text:outline-level='2'>Head</text:h><text:p>One<text:s text:c='2'/>two"
          "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>"
          "Noted.</text:p></text:note-body></text:note> three</text:p><text:list>"
          "<text:list-item><text:p>item</text:p></text:list-item></text:list>"
          "<table:table><table:table-row><table:table-cell table:number-rows-spanned='2'>"
          "<text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p>"
          "</table:table-cell></table:table-row><table:table-row>"
          "<table:covered-table-cell/><table:table-cell><text:p>c</text:p>"
          "</table:table-cell></table:table-row></table:table>"), 0 } };
    assert_string_equal(said(&cx, "a.odt", ZIP(&cx, members)),
                        "= T\nH2 Head\nP One two three\nP Noted.\nI - item\nR a | b\n"
                        "R a | c\n");
    ctx_end(&cx);
}

static void an_open_document_sheet_is_read(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = { { "content.xml", ODF(
        "<o:spreadsheet><table:table table:name='S'><table:table-row><table:table-cell>"
        "<text:p>Name</text:p></table:table-cell><table:table-cell/><table:table-cell>"
        "<text:p>Born</text:p></table:table-cell></table:table-row><table:table-row>"
        "<table:table-cell table:number-columns-repeated='2'><text:p>Ada</text:p>"
        "</table:table-cell><table:table-cell o:date-value='1815-12-10T00:00:00'><text:p>"
        "10 Dec</text:p></table:table-cell></table:table-row><table:table-row "
        "table:number-rows-repeated='1048000'><table:table-cell "
        "table:number-columns-repeated='16000'/></table:table-row></table:table>"
        "</o:spreadsheet>"), 0 } };
    assert_string_equal(said(&cx, "a.ods", ZIP(&cx, members)),
                        "H1 S\nR Name | Born\nR Name: Ada | Ada | Born: 1815-12-10\n");
    ctx_end(&cx);
}

static void open_document_slides_are_pages(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = { { "content.xml", ODF(
        "<draw:page><draw:frame presentation:class='title'><draw:text-box><text:p>Top"
        "</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>said"
        "</text:p></draw:text-box></draw:frame></draw:page><draw:page/>"), 0 } };
    assert_string_equal(said(&cx, "a.odp", ZIP(&cx, members)),
                        "H1@1 Top\nP@1 said\nH1@2 Slide 2\n");
    ctx_end(&cx);
}

static void encryption_is_told(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed odt[] = {
        { "META-INF/manifest.xml", "<m><e><encryption-data/></e></m>", 0 },
        { "content.xml", "\x01\x02\x03", 0 } };
    const Packed epub[] = {
        { "META-INF/encryption.xml", "<e><CipherReference URI='a.xhtml'/></e>", 0 } };
    const char word[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1..W\0o\0r\0d\0D\0o\0c\0"
                        "u\0m\0e\0n\0t\0";
    assert_string_equal(said(&cx, "a.odt", ZIP(&cx, odt)),
                        "! it is encrypted: save it without a password\n");
    assert_string_equal(said(&cx, "a.epub", ZIP(&cx, epub)),
                        "! this book is encrypted (DRM) and cannot be read\n");
    assert_string_equal(said(&cx, "a.doc", (Str){ word, sizeof word }),
                        "! a Word 97 file: save it as .docx\n");
    ctx_end(&cx);
}

/* ---- EPUB -------------------------------------------------------------------------- */

static const Packed book[] = {
    { "mimetype", "application/epub+zip", 0 },
    { "META-INF/container.xml", "<c><rootfile full-path='O/b.opf'/></c>", 0 },
    { "O/b.opf", "<package><metadata><title>The Book</title></metadata><manifest>"
      "<item id='n' href='nav.xhtml' properties='nav' "
      "media-type='application/xhtml+xml'/>"
      "<item id='b' href='t/two%20.xhtml' media-type='application/xhtml+xml'/>"
      "<item id='a' href='t/one.xhtml' media-type='application/xhtml+xml'/></manifest>"
      "<spine><itemref idref='n'/><itemref idref='a'/><itemref idref='b'/></spine>"
      "</package>", 0 },
    { "O/nav.xhtml", "<html><nav><ol><li><a href='t/one.xhtml'>One</a></li>"
      "<li><a href='t/two%20.xhtml#x'>Chapter <b>two</b></a></li></ol></nav></html>", 0 },
    { "O/t/two .xhtml", "<html><head><title/></head><p>Second.</p></html>", 0 },
    { "O/t/one.xhtml", "<html><body><h1>I. One</h1><p>First.</p></body></html>", 0 },
};

static void a_book_is_read_in_the_order_of_its_spine(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.epub", ZIP(&cx, book)),
                        "= The Book\nH1 I. One\nP First.\nH1 Chapter two\nP Second.\n");
    ctx_end(&cx);
}

/* ---- hostile ----------------------------------------------------------------------- */

#define SURVIVES(name, members) survives(name, ZIP(&cx, members), 300)

static void cut_and_changed_files_end_in_text_or_an_error(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    SURVIVES("a.pptx", slides);
    SURVIVES("a.xlsx", workbook);
    SURVIVES("a.epub", book);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_are_told_by_style_and_by_what_it_inherits),
        cmocka_unit_test(list_items_have_the_number_that_word_shows),
        cmocka_unit_test(the_text_is_the_final_one),
        cmocka_unit_test(a_text_box_is_read_once_and_a_note_behind_its_paragraph),
        cmocka_unit_test(merged_cells_are_said_in_each_row),
        cmocka_unit_test(what_is_no_word_document_is_told_so),
        cmocka_unit_test(entities_do_not_grow),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_slide_is_a_page_with_its_title_and_notes),
        cmocka_unit_test(a_row_names_its_columns_and_dates_are_dates),
        cmocka_unit_test(an_open_document_text_is_read),
        cmocka_unit_test(an_open_document_sheet_is_read),
        cmocka_unit_test(open_document_slides_are_pages),
        cmocka_unit_test(encryption_is_told),
        cmocka_unit_test(a_book_is_read_in_the_order_of_its_spine),
        cmocka_unit_test(cut_and_changed_files_end_in_text_or_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
