import json
import sys
from urllib.parse import unquote
from wsgiref.simple_server import make_server


def app(environ, start_response):
    user = {
        "id": unquote(environ["HTTP_X_CLASSLINK_USER"]),
        "role": environ.get("HTTP_X_CLASSLINK_ROLE"),
        "tenant": unquote(environ.get("HTTP_X_CLASSLINK_TENANT", "")) or None,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(user).encode()]


make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
