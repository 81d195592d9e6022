"""Add documents: upload, look, ingest as a job; and what can be done with an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from prorank_search.analysis import PRESETS
from prorank_search.errors import InputError, ProRankError
from prorank_search.protocols import IndexInfo
from prorank_ui import page_gate, state
from prorank_ui.commands import TimeUpError
from prorank_ui.compare import ranking_table
from prorank_ui.documents import index_care, ingest_jobs, ingest_output, ingest_preview, ingesting, uploads
from prorank_ui.documents.ingesting import IngestWish
from prorank_ui.documents.uploads import Upload
from prorank_ui.drawing import notices, plain_table
from prorank_ui.drawing.markup import escape, unmarked
from prorank_ui.drawing.notices import notice, summary
from prorank_ui.drawing.wording import count, size

_ROUND = "round of uploads"
_DRY_RUN = "dry run"
_NAMED = 5
_CARE_TOLD = "what became of the care for an index"


def page() -> None:
    """Draw the page."""
    for styles in (notices.STYLES, ranking_table.STYLES, plain_table.STYLES):
        st.html(styles)
    st.title("Add documents", anchor=False)
    above = st.empty()  # there whether or not it says anything: what stands below stays as open as it was
    failed = st.session_state.pop(ingest_jobs.FAILED, None)
    if failed:
        above.html(notice("error", "That did not work", failed))
    try:
        if not (page_gate.admits("operator") and page_gate.is_local()):
            return
        indexes = state.client().indexes()
        upload = _upload()
        if upload is not None:
            _describe(upload, indexes)
        ingest_jobs.show()
        _care(indexes)
    except ProRankError as error:
        st.html(notice("error", "This page cannot be drawn", str(error)))


def _upload() -> Upload | None:
    """Return the upload that is in hand; draw the field for one where there is none."""
    if ingest_jobs.UPLOAD in st.query_params:
        try:
            return uploads.find(state.client().home, st.query_params[ingest_jobs.UPLOAD])
        except InputError as error:
            st.query_params.pop(ingest_jobs.UPLOAD)
            st.html(notice("error", "This upload is gone", str(error)))
    files = st.file_uploader(
        "One JSONL, CSV or TSV file, or any number of texts, Markdown files and PDFs",
        type=[*uploads.DATA, *uploads.TEXTS],
        accept_multiple_files=True,
        max_upload_size=uploads.LARGEST_MB,
        key=f"files {st.session_state.get(_ROUND, 0)}",
    )
    st.caption(
        f"At most {uploads.LARGEST_MB} MB together: an upload fills memory until it is on disk. Larger files, "
        "folders, databases and other indexes: `prorank ingest`."
    )
    if files:
        _keep(files)
    return None


def _keep(files: Sequence[uploads.Uploaded]) -> None:
    """Put what was uploaded on disk, and go on with it."""
    try:
        upload = page_gate.installation().keep_upload(files)
    except InputError as error:
        st.html(notice("error", "The upload was not saved", str(error)))
        return
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1  # another field: this one's files leave memory
    st.query_params[ingest_jobs.UPLOAD] = upload.upload_id
    st.rerun()


def _describe(upload: Upload, indexes: Sequence[IndexInfo]) -> None:
    """Draw what is to be done with an upload."""
    more = f" and {len(upload.names) - _NAMED} more" if len(upload.names) > _NAMED else ""
    names = f"{', '.join(upload.names[:_NAMED])}{more}"
    facts = f"{count(len(upload.names), 'file')}, {size(upload.size_bytes)}"
    st.html(notice("info", f"Uploaded: {names}", facts))
    seen = st.session_state.get(_DRY_RUN)
    has_fault = seen is not None and isinstance(seen[1], str) and seen[0].upload_id == upload.upload_id
    wish = _wish(upload, indexes, details_open=has_fault)
    preview, start, discard = st.columns(3)
    if preview.button("Preview", width="stretch", help="A dry run: reads the first records, writes nothing"):
        with st.spinner("Reading the first records"):
            st.session_state[_DRY_RUN] = (wish, _dry_run(wish))
        st.rerun()
    if start.button("Start", type="primary", width="stretch"):  # no callback: it would have the wish of the run before
        _start(wish)
    discard.button("Discard the upload", width="stretch", on_click=_discard, args=(upload,))
    if seen is not None and seen[0] == wish:
        st.html(seen[1]) if isinstance(seen[1], str) else _preview(seen[1])


def _wish(upload: Upload, indexes: Sequence[IndexInfo], *, details_open: bool) -> IngestWish:
    known = [index.name for index in indexes]
    index = st.text_input(
        "Add to index",
        value=_suggested(upload),
        max_chars=100,
        key=f"index for {upload.upload_id}",
        help=f"A new name, or one of: {', '.join(known)}" if known else None,
    ).strip()
    if index and index not in known:
        st.caption("This is a new index.")
    replace = index in known and (
        st.radio("This index has documents", ["Add, and replace by id", "Replace all of them"], horizontal=True)
        == "Replace all of them"
    )
    columns = {}
    with st.expander("Details", expanded=details_open):
        analysis = st.selectbox("Analysis", ["auto", *PRESETS])
        passages = st.checkbox("Cut long documents into passages")
        if upload.source.is_file():
            for name, place, usual in zip(
                ("id_column", "title_column", "text_column"),
                st.columns(3),
                ("_id, id or doc_id", "title", "text, contents, content or body"),
                strict=True,
            ):
                label = name.replace("_", " ").capitalize().replace("Id ", "ID ")
                columns[name] = place.text_input(label, placeholder=usual, max_chars=200, key=name).strip()
    return IngestWish(upload.upload_id, upload.source, index, replace, analysis, passages, **columns)


def _suggested(upload: Upload) -> str:
    """Return a name for an index of these files."""
    stem = upload.names[0].rpartition(".")[0].lower() if len(upload.names) == 1 else "documents"
    return re.sub(r"[^a-z0-9_.-]+", "-", stem).strip("-.") or "documents"


def _dry_run(wish: IngestWish) -> ingest_preview.DryRun | str:
    """Return what a dry run shows, or a notice that says why there is nothing to show."""
    try:
        return page_gate.installation().dry_run(wish)
    except TimeUpError:
        told = f"It did not end within {ingesting.DRY_RUN_TAKES_AT_MOST_S} s. “Start” ingests the files without it."
        return notice("warning", "The preview took too long", told)
    except InputError as error:
        complaint = ingest_output.in_words_of_the_page(str(error))
        return notice("error", "These files cannot be ingested with these settings", complaint)


def _start(wish: IngestWish) -> None:
    try:
        page_gate.installation().start_ingest(wish)
    except ProRankError as error:
        st.session_state[ingest_jobs.FAILED] = str(error)
    else:
        st.query_params.pop(ingest_jobs.UPLOAD, None)
    st.rerun()


def _discard(upload: Upload) -> None:
    page_gate.installation().delete_uploads([upload.upload_id])
    st.query_params.pop(ingest_jobs.UPLOAD, None)


def _preview(dry_run: ingest_preview.DryRun) -> None:
    st.html(summary(ingest_preview.headline(dry_run), ""))
    st.html(ingest_preview.documents(dry_run))
    if dry_run["sample"]["bad_records"]:
        st.html(ingest_preview.bad_records(dry_run["sample"]["bad_records"]))
    st.caption("The first document as searches find it:")
    st.html(ingest_preview.analysed(dry_run))
    cut = ingest_preview.passages(dry_run)
    if cut:
        st.caption(f"It becomes {count(len(dry_run['passages']), 'passage')}:")
        st.html(cut)
    mapping = ingest_preview.mapping(dry_run)
    if mapping:
        with st.expander("Settings and mapping of a new index"):
            st.code(mapping, language=None)


def _care(indexes: Sequence[IndexInfo]) -> None:
    """Draw the indexes, and what can be done with one."""
    st.header("Indexes", anchor=False)
    near = st.empty()  # whoever clicks a button down here may not see the top of the page
    if _CARE_TOLD in st.session_state:
        near.html(st.session_state.pop(_CARE_TOLD))
    if not indexes:
        st.caption("None yet: upload a file above.")
        return
    rows = [index_care.row(index) for index in indexes]
    st.html(plain_table.drawn("Indexes", index_care.HEADINGS, rows, index_care.NUMBERS))
    with st.expander("Roll back, prune or delete an index"):
        live = {index.name: index.version for index in indexes}
        name = state.select("Index to change", "care", list(live))
        client = page_gate.installation()
        versions = client.versions(name)
        told = ", ".join(f"{one} (searched now)" if one == live[name] else one for one in versions)
        st.html(f"<p>Versions, the oldest first: {escape(told)}</p>")
        back, prune = st.columns(2)
        if back.button("Roll back to the previous version", disabled=not versions or versions[0] == live[name]):
            _do(partial(client.rollback, name), f"{name!r} is back at the previous version")
        with prune.popover("Prune", disabled=len(versions) <= 1):
            st.caption(f"Only {unmarked(live[name])} is kept. There is no way back.")
            if st.button("Delete the other versions"):
                _do(partial(client.prune, name), f"The other versions of {name!r} are deleted")
        typed = st.text_input("To delete it, type its name", key=f"delete {name}", max_chars=100)
        if st.button("Delete the index"):
            _do(partial(client.delete_index, name, typed), f"{name!r} is deleted, with all its versions")


def _do(deed: Callable[[], None], told: str) -> None:
    """Do something with an index, and draw the page anew, with what was done."""
    try:
        deed()
    except ProRankError as error:
        st.session_state[_CARE_TOLD] = notice("error", "That did not work", str(error))
    else:
        st.session_state[_CARE_TOLD] = notice("info", told)
    st.rerun()
