"""The documentation site: `make docs` builds docs/_build/html; every warning is an error there."""

import os
import re
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # autodoc imports TensorFlow with the package

sys.path.insert(0, str(Path(__file__).parent))
import notebook_page

import semseg

project = "semseg"
author = "The semseg authors"
copyright = "The semseg authors. Apache-2.0"
version = release = semseg.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"semseg {version}"
html_show_sphinx = False
html_copy_source = False
highlight_language = "text"  # of blocks that name none
pygments_style, pygments_dark_style = "friendly", "monokai"
copybutton_exclude = ".linenos, .gp, .go"

myst_heading_anchors = 3

default_role = "literal"  # docstrings have Markdown's single backticks
autosummary_generate = False
autodoc_typehints = "none"  # shapes and types are in the text
autodoc_inherit_docstrings = False  # Keras documents `call` and `get_config`
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_rtype = False
napoleon_use_ivar = True


def setup(app):
    """What Sphinx does not do of its own accord."""
    # Before napoleon, whose priority is 500.
    app.connect("autodoc-process-docstring", from_markdown, priority=400)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("source-read", to_pages)
    app.connect("build-finished", copy_pictures)


def from_markdown(app, what, name, thing, options, lines):
    """Docstrings are read as Markdown: stars and bars in a sentence are no reST, and paragraphs
    such as "`call` shapes: ..." with an indented rest become sections.
    """
    for i, line in enumerate(lines):
        if ">>>" not in line and "`" not in line:
            lines[i] = re.sub(r'(?<=[" ])[*|](?=[.\w])', r"\\\g<0>", line)
    for i, line in enumerate(lines):
        if found := re.match(r"`call` shapes: (.*)", line):
            lines[i : i + 1] = ["Note:", f"    `call` shapes: {found[1]}"]


def skip_fields(app, what, name, thing, skip, options):
    """A named tuple's fields stand in the docstring of their class."""
    return True if (thing.__doc__ or "").startswith("Alias for field number") else None


def to_pages(app, docname, source):
    """Links to files beside the README lead to the pages that include them; the notebook's page
    is the notebook.
    """
    if docname == "notebook":
        source[0] = notebook_page.as_markdown(notebook_page.read())
    source[0] = re.sub(
        r"\]\(\.\./(CHANGELOG|CONTRIBUTING)\.md", lambda m: f"]({m[1].lower()}.md", source[0]
    )


def copy_pictures(app, exception):
    """What pages show by HTML (a dark and a light version): Sphinx copies Markdown's alone."""
    if exception is None and app.builder.format == "html":
        source, images = Path(app.srcdir) / "images", Path(app.outdir) / "images"
        shutil.copytree(source, images, dirs_exist_ok=True)
        notebook_page.write_pictures(notebook_page.read(), images)
