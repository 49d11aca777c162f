"""REST services that are not there or not as described, and options of the api source that do not go together."""
from table import CONFIG, JOB, LOADER, REFUSED, case

AT = "config/jobs/t.yaml:1:"


def api(name, options, *says, exit=CONFIG, command="plan t", base="http://127.0.0.1:1/v1"):
    case(name, command, exit, *says, files={JOB: f"source: {{type: api, base_url: \"{base}\", {options}}}\n" + LOADER})


api("a service that is not there", "endpoint: t, tries_max: 1, auth_type: bearer, auth_config: {token: s3cr3t}", "t: cannot reach http://127.0.0.1:1/v1/t", "run again when the service is well",
    exit=REFUSED, command="extract t --to csv")
api("a host that no name leads to", "endpoint: t, tries_max: 1", "cannot reach http://no-such-host.invalid", "see that base_url is right", exit=REFUSED, command="extract t --to csv",
    base="http://no-such-host.invalid")
api("a base_url that is no address", "endpoint: t", AT, "'ftp://a/b' is no address", "expected http:// or https://", base="ftp://a/b")
api("a base_url with parameters", "endpoint: t", AT, "base_url holds parameters", "in params", base="http://a/b?key=1")
api("no endpoint", "method: GET", AT, "endpoint", "endpoints")
api("an endpoint and endpoints", "endpoint: t, endpoints: [t]", AT, "can't be given together", "keep one")
api("endpoints that are none", "endpoints: []", AT, "expected at least one endpoint", "found none")
api("an endpoint that is an address", "endpoint: \"http://other/t\"", AT, "'http://other/t' is an address", "below base_url")
api("an endpoint with parameters", "endpoint: \"t?page=1\"", AT, "holds parameters", "in params")
api("a placeholder without parent", "endpoint: \"a/{id}/b\"", AT, "{id}", "add parent")
api("a placeholder that is not closed", "endpoint: \"a/{id/b\"", AT, "a brace without its other", "customers/{id}/orders")
api("a parent whose records fill nothing", "endpoint: t, parent: {endpoint: p}", AT, "takes nothing of the parent's records")
api("a parent with a parent", "endpoint: \"a/{id}\", parent: {endpoint: \"p/{x}\"}", AT, "a parent has no parent of its own")
api("a bearer without token", "endpoint: t, auth_type: bearer", AT, "auth_type bearer needs 'token' in auth_config")
api("a password for a bearer", "endpoint: t, auth_type: bearer, auth_config: {token: a, password: s3cr3t}", AT, "'password' says nothing where auth_type bearer")
api("credentials without auth_type", "endpoint: t, auth_config: {token: s3cr3t}", AT, "'token' says nothing where auth_type none")
api("an auth_type that is none", "endpoint: t, auth_type: bearre", AT, "'bearre' is no auth_type", "one of none, basic, bearer")
api("a cursor without place", "endpoint: t, pagination_strategy: cursor", AT, "needs one of 'cursor_path'", "'cursor_field'")
api("a page size of links", "endpoint: t, pagination_strategy: link, pagination_config: {page_param: p}", AT, "'page_param' says nothing where pagination_strategy link")
api("a page size of none", "endpoint: t, pagination_strategy: page, pagination_config: {size: 0}", AT, "size is a whole number from 1", "not '0'")
api("an incremental service without field", "endpoint: t, incremental: true", AT, "needs cursor_column", "the field that grows")
api("a cursor parameter without field", "endpoint: t, cursor_param: since", AT, "cursor_param goes with cursor_column")
api("a start without parameter", "endpoint: t, cursor_column: a, cursor_start: \"1\"", AT, "cursor_start is sent as cursor_param")
api("a stretch of a service that is no time", "endpoint: t, cursor_column: a, look_back: soon", AT, "'soon' is no stretch", "such as 1h")
api("a body of a GET", "endpoint: t, body: \"{}\"", AT, "a body goes with method: POST")
api("a body that is no object", "endpoint: t, method: POST, body: \"[1]\"", AT, "the body is no JSON object")
api("a body's parameters in a GET", "endpoint: t, pagination_strategy: page, pagination_config: {in: body}", AT, "set method: POST")
api("a header that breaks the line", "endpoint: t, tries_max: 1, headers: {X-A: \"b\\r\\nX-C: d\"}", "a header for http://127.0.0.1:1/v1/t", "line break",
    command="extract t --to csv")
