"""Users and passwords through the real clients, on a server that asks for them."""

from api import Api, rows
from context import BASE_S

NAME = "auth"
LAYER = "python-clients"


def run(context):
    """Bootstrap an admin through a client, then right and wrong credentials."""
    report = context.report
    report.attempt("bootstrap", _bootstrap, context)
    report.attempt("v1 client", _v1, context)
    report.attempt("v2 client", _v2, context)


def control(api_host, api_port):
    """Reads as the admin that the bootstrap made."""
    return Api(api_host, api_port, "adm", "adm'pass")


def _client(context, user, password):
    from influxdb import InfluxDBClient
    return InfluxDBClient(context.proxy.host, context.proxy.port, user, password, "guarded",
                          timeout=30, retries=1)


def _denied(report, name, call, code, text):
    try:
        call()
    except Exception as error:  # each client has a class of its own
        got = getattr(error, "code", None) or getattr(error, "status", None)
        said = str(getattr(error, "body", None) or error)
        report.check(name, got == code and text in said, f"{got} {said}".strip())
    else:
        report.check(name, False, "no error was raised")


def _bootstrap(context):
    nobody = _client(context, "", "")
    _denied(context.report, "without an admin a query is a 403", nobody.get_list_database, 403,
            "create admin user first or disable authentication")
    nobody.create_user("adm", "adm'pass", admin=True)
    admin = _client(context, "adm", "adm'pass")
    admin.create_database("guarded")
    admin.create_user("writer", "w p:$&%=+")
    admin.create_user("reader", "r")
    admin.grant_privilege("write", "guarded", "writer")
    admin.grant_privilege("read", "guarded", "reader")
    users = {row["user"]: row["admin"] for row in admin.get_list_users()}
    context.report.equal("users made through the client are listed", users,
                         {"adm": True, "writer": False, "reader": False})


def _v1(context):
    report = context.report
    line = [f"m,via=v1 v=1i {BASE_S}000000000"]

    def write(user, password):
        return lambda: _client(context, user, password).write_points(line, protocol="line")

    report.check("the writer's Basic credentials write", write("writer", "w p:$&%=+")())
    _denied(report, "a wrong password is a 401", write("writer", "w"), 401, "authorization failed")
    _denied(report, "an empty user name is a 401", write("", ""), 401, "username required")
    _denied(report, "the reader may not write", write("reader", "r"), 403,
            "user is not authorized to write to database")
    reader = _client(context, "reader", "r")
    report.equal("the reader reads", [row["v"] for row in
                                      reader.query("SELECT v FROM m").get_points()], [1])
    writer = _client(context, "writer", "w p:$&%=+")
    _denied(report, "the writer may not read", lambda: writer.query("SELECT v FROM m"), 403,
            "not authorized")


def _v2(context):
    from influxdb_client import InfluxDBClient
    from influxdb_client.client.write_api import SYNCHRONOUS
    report = context.report

    def write(token):
        with InfluxDBClient(url=context.proxy.url, token=token, org="-") as client:
            client.write_api(write_options=SYNCHRONOUS).write(
                bucket="guarded/autogen", record=f"m,via=v2 v=2i {BASE_S}000000001")

    write("adm:adm'pass")
    got = rows(context.api.query("SELECT v FROM m WHERE via = 'v2'", "guarded"))
    report.equal("Token user:password writes", [row["v"] for row in got], [2])
    _denied(report, "a wrong Token is a 401", lambda: write("adm:no"), 401, "authorization failed")
