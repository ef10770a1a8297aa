"""One way to lay documents out: what moves, what stays, and what is left alone."""

from __future__ import annotations

import textwrap

import pytest

from terrace.errors import DocumentError
from terrace.languages.document import LIMITS
from terrace.languages.editor.layout import layout
from terrace.languages.report import Report
from terrace.languages.tree import parse


def text(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


def tree(source: str) -> object:
    document = parse(source, "t.yaml", Report(), LIMITS)
    assert document is not None
    return document.root


def laid_out(source: str) -> str:
    """The layout, having seen that it says the same and is final."""
    result = layout(source, "t.yaml")
    assert tree(result) == tree(source)
    assert layout(result, "t.yaml") == result
    return result


def test_sections_come_in_order_with_their_comments() -> None:
    source = text("""
        # a licence

        # of outputs
        outputs: {}
        # of resources
        # in two lines
        resources: {}
        parameters: {}
        heat_template_version: 2018-08-31
        """)
    assert laid_out(source) == text("""
        # a licence

        heat_template_version: 2018-08-31

        parameters: {}

        # of resources
        # in two lines
        resources: {}

        # of outputs
        outputs: {}
        """)


def test_sections_of_an_environment() -> None:
    source = "resource_registry: {}\nparameters: {a: 1}\n"
    assert laid_out(source) == "parameters: {a: 1}\n\nresource_registry: {}\n"


def test_every_level_is_two_further_in() -> None:
    source = text("""
        parameters:
            a:
               type:   string
               constraints:
               - length: {min: 1}
                 description:    x
               -     allowed_pattern: y
            b:
              -   - deep
                  - deeper
              -
                 on its own line
        """)
    assert laid_out(source) == text("""
        parameters:
          a:
            type:   string
            constraints:
              - length: {min: 1}
                description:    x
              - allowed_pattern: y
          b:
            - - deep
              - deeper
            -
              on its own line
        """)


def test_blank_lines_between_resources_but_not_between_one_liners() -> None:
    source = text("""
        heat_template_version: 2018-08-31
        resources:


          a:
            type: x


            properties: {}
          # of b
          b: {type: x}
          # of nobody

          c:
            type: x
        """)
    assert laid_out(source) == text("""
        heat_template_version: 2018-08-31

        resources:
          a:
            type: x

            properties: {}

          # of b
          b: {type: x}
          # of nobody

          c:
            type: x
        """)
    short = "heat_template_version: 2018-08-31\n\nresources:\n  a: {type: x}\n  b: {type: x}\n"
    assert laid_out(short) == short


def test_blocks_of_text_move_as_they_are() -> None:
    source = text("""
        a:
            b: |
                  #!/bin/sh
                    two in

                  back\x20\x20
            c: >-
             folded
              more
            d: |2
                 three more
            e:
              - |
                x
        """)
    assert laid_out(source) == text("""
        a:
          b: |
            #!/bin/sh
              two in

            back\x20\x20
          c: >-
            folded
             more
          d: |2
               three more
          e:
            - |
              x
        """)


def test_blank_lines_that_belong_to_a_text_stay() -> None:
    source = "resources:\n  a:\n    b: |+\n      x\n\n\n  c:\n    b: |\n      y\n\n\n  d: 1\n"
    result = laid_out("heat_template_version: 2018-08-31\n" + source)
    assert "      x\n\n\n  c:\n" in result
    assert "      y\n\n  d: 1\n" in result


def test_a_text_without_a_line_break_at_its_end() -> None:
    assert laid_out("a:\n    b: |\n        x") == "a:\n  b: |-\n    x\n"
    assert layout("a: |+\n  x", "t.yaml") == "a: |+\n  x"


def test_values_over_several_lines() -> None:
    source = text("""
        a:
            b: one
              two

              three
            c: "x
             y"
            d: [1,
                2, # of 2
                3]
            e:
                {f: g,
              h: i}
        """)
    assert laid_out(source) == text("""
        a:
          b: one
            two

            three
          c: "x
            y"
          d: [1,
              2, # of 2
              3]
          e:
            {f: g,
          h: i}
        """)


def test_comments_stay_where_they_belong() -> None:
    source = text("""
        a:
            # of b
            b: 1   # behind
            # below b
              # further in
        # at the left
            c:
            - x
            # in the list
            - y
        #end
        """)
    assert laid_out(source) == text("""
        a:
          # of b
          b: 1   # behind
          # below b
            # further in
        # at the left
          c:
            - x
            # in the list
            - y
        #end
        """)


def test_a_comment_behind_a_text_does_not_get_into_it() -> None:
    source = text("""
        a:
            - |
                x
              # not x
            - |
                 y
             # nor y
            - k: v
        """)
    assert laid_out(source).count("# n") == 2


def test_anchors_keep_sections_in_their_order() -> None:
    source = "outputs:\n  a: {value: &x 1}\n\nresources:\n  b: {type: t, properties: {v: *x}}\n"
    assert laid_out(source) == source
    inside = (
        "outputs: {a: {value: &x 1}, b: {value: *x}}\nparameters: {}\nheat_template_version: 2018-08-31\n"
    )
    assert laid_out(inside).startswith("heat_template_version")


def test_tags_anchors_and_merges() -> None:
    source = "a:\n    b: &b\n        c: !!str 1\n    d:\n        <<: *b\n    &k e: 1\n"
    assert laid_out(source) == "a:\n  b: &b\n    c: !!str 1\n  d:\n    <<: *b\n  &k e: 1\n"


@pytest.mark.parametrize(
    "source",
    [
        '{"heat_template_version": "2018-08-31",\n   "resources": {}}\n',
        "? a\n: b\n",
        "a: 1\n...\n",
        "%YAML 1.1\n---\na: 1\n",
        "- a\n-   b\n",
        "text\n",
        "",
        "a:\n    b: 1\rc: 2\n",
    ],
)
def test_what_is_left_as_it_is(source: str) -> None:
    assert layout(source, "t.yaml") == source


def test_a_marked_beginning_stays_at_the_top() -> None:
    source = "# a\n---\nparameters: {}\nheat_template_version: 2018-08-31\n"
    assert laid_out(source) == "# a\n---\nheat_template_version: 2018-08-31\n\nparameters: {}\n"


def test_line_ends_and_spaces_at_the_end() -> None:
    assert laid_out("a: 1  \r\nb:\r\n    c: 2\t\r\n") == "a: 1\n\nb:\n  c: 2\n"


def test_a_document_with_mistakes_is_not_touched() -> None:
    with pytest.raises(DocumentError) as caught:
        layout("a: b: c\n", "t.yaml")
    assert [(one.file, one.line, one.column) for one in caught.value.problems] == [("t.yaml", 1, 5)]
