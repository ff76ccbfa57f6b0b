"""Formulas as MathML, written by docutils' own converter: no script, no font and no network when a page is read."""
import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def braced(text):
    r"""The formula in words that the converter reads as LaTeX does: to it, \tfrac12 is twelve over what follows."""
    text = re.sub(r"(\\[dt]?frac)\s*(\d)\s*(\d)", r"\1{\2}{\3}", text)
    return re.sub(r"\\dots(?![A-Za-z])", r"\\ldots", text)


def convert(text, node, block):
    try:
        return tex2mathml(braced(text), as_block=block)
    except MathError as error:
        logger.warning("a formula that MathML cannot show: %s", error, location=node)
        return f"<code>{text}</code>"


def visit_inline(self, node):
    self.body.append(convert(node.astext(), node, False))
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(convert(node.astext(), node, True))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
