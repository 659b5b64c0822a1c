"""What an alert's link opens: each runbook, complete, and nothing of what a page might do with foreign words."""

import re
from typing import TYPE_CHECKING

import pytest

from api.routers.runbooks import html_of, runbooks
from exporter.linting.rule_files import RULES, alerts, files_of, read
from exporter.linting.rules import SECTIONS

if TYPE_CHECKING:
    from tests.api.conftest import World


def test_the_link_of_every_alert_opens_its_runbook_without_an_account(closed: "World") -> None:
    rules = [rule for path in files_of(RULES) for rule in alerts(read(path)[0])]
    for rule in {rule.name: rule for rule in rules}.values():
        path = rule.annotations.get("runbook_url", f"/runbooks/{rule.name}").partition("8080")[2]
        answer = closed.client.get(path or f"/runbooks/{rule.name}")
        assert answer.status_code == 200, rule.name
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        for section in SECTIONS if rule.labels["severity"] != "none" else ():
            assert f"<h2>{section}</h2>" in answer.text, (rule.name, section)
        assert "style=" not in answer.text
        assert "<script" not in answer.text


def test_the_index_names_them_all_and_links_lead_to_pages_that_exist(closed: "World") -> None:
    index = closed.client.get("/runbooks/").text
    assert set(re.findall(r'href="/runbooks/(\w+)"', index)) == set(runbooks())
    for name, text in runbooks().items():
        for other in re.findall(r'href="/runbooks/(\w+)"', html_of(text)):
            assert other in runbooks(), (name, other)


@pytest.mark.parametrize(
    "name", ["NoSuchAlert", "README.md", "..%2f..%2fpyproject", "%2e%2e", "sitedown", "SiteDown.md"]
)
def test_what_is_no_runbook_is_not_found(closed: "World", name: str) -> None:
    assert closed.client.get(f"/runbooks/{name}").status_code == 404


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A <b>", "<h1>A &lt;b&gt;</h1>"),
        ("> said", '<blockquote lang="en">said</blockquote>'),
        ("one\ntwo\n\nthree", "<p>one two</p><p>three</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n   - b\n   - c\n2. d", "<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>"),
        ("- a\n1. b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        ("a `b **c** <d>` **e**", "<p>a <code>b **c** &lt;d&gt;</code> <strong>e</strong></p>"),
        ("a ` b", "<p>a ` b</p>"),
        ("[SiteDown](SiteDown.md)", '<p><a href="/runbooks/SiteDown">SiteDown</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("```sh\n<a>\n- b\n```", "<pre><code>&lt;a&gt;\n- b</code></pre>"),
    ],
)
def test_the_little_markdown_of_runbooks_is_rendered(text: str, html: str) -> None:
    assert html_of(text) == html
