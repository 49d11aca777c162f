"""Web sites that are not there, and options of the web_scraper source that do not go together."""
from table import CONFIG, JOB, LOADER, REFUSED, case

AT = "config/jobs/t.yaml:1:"


def web(name, options, *says, exit=CONFIG, command="plan t", base="base_url: \"http://127.0.0.1:1/t\", "):
    case(name, command, exit, *says, files={JOB: f"source: {{type: web_scraper, {base}{options}}}\n" + LOADER})


web("a site that is not there", "tries_max: 1, requests_per_minute: 0", "cannot reach http://127.0.0.1:1/robots.txt", "robots: ignore", exit=REFUSED, command="extract t --to csv")
web("a page that is not there", "tries_max: 1, robots: ignore", "cannot reach http://127.0.0.1:1/t", "run again when the site is well", exit=REFUSED, command="extract t --to csv")
web("a web page that is no address", "tries_max: 1", AT, "'/etc/passwd' is no address", "http:// or https://", base="base_url: /etc/passwd, ")
web("a web page of a file", "tries_max: 1", AT, "'file:///etc/passwd' is no address", base="urls: [\"file:///etc/passwd\"], ")
web("a path of a site without base", "tries_max: 1", AT, "'prices' is no address", "a path and base_url", base="urls: [prices], ")
web("no web page", "tries_max: 1", AT, "needs base_url or urls", base="")
web("a table and records", "table: {}, records: {css: a}, fields: {a: {}}", AT, "can't be given together", "keep one")
web("records without fields", "records: {css: a}", AT, "records needs fields")
web("records of nothing", "records: {}, fields: {a: {css: b}}", AT, "records names no elements")
web("fields of csv", "csv: {}, fields: {a: {css: b}}", AT, "csv has none")
web("a selector that is none", "table: {css: \"table[\"}", AT, "is no CSS selector", "at character 7")
web("a selector that browsers know", "table: {css: \"a:hover\"}", AT, ":hover is none that is known")
web("an XPath that is none", "table: {xpath: \"//a[\"}", AT, "'//a[' is no XPath")
web("two selectors", "table: {css: a, xpath: //a}", AT, "can't be given together")
web("an index of nothing", "table: {index: 0}", AT, "index", "from 1")
web("an attribute as HTML", "fields: {a: {attribute: href, take: html}}", AT, "an attribute has no HTML")
web("a next page by nothing", "next_page: {}", AT, "next_page needs one of css, xpath", "param")
web("a next page by two", "next_page: {css: a, param: p}", AT, "next_page needs one of css, xpath")
web("a link in csv", "csv: {}, next_page: {css: a}", AT, "a page of csv has no links")
web("a next page that ends before it begins", "next_page: {param: p, limit: 0}", AT, "limit", "from 1")
web("a robots that is none", "robots: ignroe", AT, "'ignroe' is no robots", "one of obey, ignore")
web("nobody who asks", "user_agent: \"/1.0\"", AT, "user_agent begins with a name")
web("newest of nothing", "newest_first: true", AT, "newest_first goes with cursor_column")
web("a page's encoding that is none", "encoding: klingon", AT, "\"klingon\" is no encoding")
web("a page's quote of two", "csv: {quote: \"ab\"}", AT, "quote is one character")
web("a page's two commas", "decimal: \".\", thousands: \".\"", AT, "thousands and decimal are both '.'")
web("a start of a site without parameter", "cursor_column: a, cursor_start: \"1\"", AT, "cursor_start is sent as cursor_param")
