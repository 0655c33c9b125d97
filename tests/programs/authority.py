"""A sign-in authority, Azure's resource manager and Microsoft Graph, as far as `az` and `m365` need them, on loopback TLS.

What a person does in the browser is decided by the tenant's settings (`Tenant.outcome`), and when is up to whoever sets
them. Tokens are JWTs without a signature: neither program checks one. The shapes follow Microsoft's documentation of the device
authorization grant (RFC 8628) and what the programs ask for; nothing here was copied from a real tenant.
"""

import base64
import dataclasses
import http.server
import json
import re
import secrets
import ssl
import threading
import time
import urllib.parse

CODE_LIFE = 900
"""Seconds that a device code lives, as Entra ID has it."""

DEVICE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
"""What RFC 8628 calls the grant, as MSAL for Python does, and what MSAL for Node calls it."""

ERRORS = {
    "pending": ("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    "declined": ("authorization_declined", 70018, "The end user denied the authorization request."),
    "expired": ("expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired."),
    "blocked": ("invalid_grant", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    "revoked": ("invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed."),
}
"""What the token endpoint says to a device code that is not approved, or to a refresh token that is no longer good."""


@dataclasses.dataclass
class Tenant:
    """A tenant with one user, and what that user does with the next code."""

    identifier: str
    account: str
    outcome: str = "pending"
    """`approved`, or a key of ERRORS."""
    codes: dict = dataclasses.field(default_factory=dict)
    """Device codes that were given out, and the client that asked."""
    refresh_tokens: set = dataclasses.field(default_factory=set)
    secret: str = ""
    """What its application signs in with."""
    applications: set = dataclasses.field(default_factory=set)
    """Those that have signed in."""

    def revoke(self):
        """Ends every sign-in: refresh tokens are good no longer, and access tokens are refused."""
        self.refresh_tokens.clear()
        self.outcome = "pending"


def encoded(value):
    """JSON as base64url without padding, the pieces of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Authority:
    """The server. `tenants` are its world; `seen` are the paths that were asked for, each with the bearer's tenant."""

    def __init__(self, certificate, key, port):
        self.tenants = {}
        self.seen = []
        authority = self

        class Handler(Requests):
            world = authority

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Frees its port."""
        self.server.shutdown()
        self.server.server_close()

    def add(self, identifier, account):
        """A tenant whose user has not looked at the browser yet."""
        tenant = Tenant(identifier, account)
        self.tenants[identifier] = tenant
        return tenant

    def application_token(self, tenant, client, scope):
        """The answer to an application that showed its secret: an access token and nothing else."""
        now = int(time.time())
        claims = {"tid": tenant.identifier, "appid": client, "oid": client, "idtyp": "app", "app_displayname": "Tests", "iat": now, "nbf": now, "exp": now + 3600}
        claims["aud"] = scope.split("/.default")[0]
        token = f"{encoded({'typ': 'JWT', 'alg': 'none'})}.{encoded(claims)}.unsigned"
        tenant.applications.add(client)
        return {"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": token}

    def tokens(self, tenant, client, scope, host):
        """The answer to a grant that was accepted."""
        now = int(time.time())
        user = {"oid": "00000000-0000-4000-8000-" + tenant.identifier[-12:], "tid": tenant.identifier}
        claims = {
            **user, "iss": f"https://{host}/{tenant.identifier}/v2.0", "iat": now, "nbf": now, "exp": now + 3600,
            "sub": user["oid"], "preferred_username": tenant.account, "upn": tenant.account, "name": "Ada Lovelace", "ver": "2.0",
        }
        head = encoded({"typ": "JWT", "alg": "none"})
        refresh = "refresh-" + secrets.token_hex(16)
        tenant.refresh_tokens.add(refresh)
        resource = scope.split("/.default")[0].split(" ")[0]
        return {
            "token_type": "Bearer", "scope": scope, "expires_in": 3600, "ext_expires_in": 3600,
            "access_token": f"{head}.{encoded({**claims, 'aud': resource})}.unsigned",
            "id_token": f"{head}.{encoded({**claims, 'aud': client})}.unsigned",
            "refresh_token": refresh,
            "client_info": encoded({"uid": user["oid"], "utid": tenant.identifier}),
        }


class Requests(http.server.BaseHTTPRequestHandler):
    """One request. `world` is the authority that it is asked of."""

    world = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing is logged: `seen` keeps what tests need."""

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path.endswith("/.well-known/openid-configuration"):
            return self.configuration(path)
        if path.endswith("/discovery/instance"):
            return self.instance()
        tenant = self.bearer()
        self.world.seen.append((path, tenant.identifier if tenant else None))
        if tenant is None:
            return self.answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The access token is missing or was revoked."}})
        if path == "/tenants":
            return self.answer(200, {"value": [{"id": f"/tenants/{tenant.identifier}", "tenantId": tenant.identifier, "displayName": "Contoso"}]})
        if path == "/subscriptions":
            return self.answer(200, {"value": [self.subscription(tenant)]})
        if re.fullmatch(r"/subscriptions/[^/]+/resourcegroups", path, re.IGNORECASE):
            name = "rg-" + tenant.account.split("@")[1].split(".")[0]
            return self.answer(200, {"value": [{"id": f"{path}/{name}", "name": name, "location": "westeurope"}]})
        if path == "/v1.0/organization":
            return self.answer(200, {"value": [{"id": tenant.identifier, "displayName": "Contoso"}]})
        if path == "/v1.0/me":
            return self.answer(200, {"userPrincipalName": tenant.account})
        return self.answer(404, {"error": {"code": "NotFound", "message": path}})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        path = urllib.parse.urlsplit(self.path).path
        tenant = self.world.tenants.get(path.split("/")[1])
        self.world.seen.append((path, None))
        if tenant is None:
            return self.refuse("AADSTS90002: Tenant not found. Check that you have the correct tenant ID.", "invalid_request", 90002)
        if path.endswith("/devicecode"):
            return self.device_code(tenant, form)
        if path.endswith("/token"):
            return self.token(tenant, form)
        return self.answer(404, {"error": "not_found"})

    def configuration(self, path):
        """OpenID Connect discovery; issuers end in the tenant that was asked for."""
        tenant = path.split("/")[1]
        base = f"https://{self.headers['Host']}/{tenant}"
        self.answer(200, {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
        })

    def instance(self):
        """Which hosts are one authority: the names that this server goes by."""
        host = self.headers["Host"]
        self.answer(200, {
            "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        })

    def device_code(self, tenant, form):
        code, device = "F4KEC0DE" + "ABCDEFGHJK"[len(tenant.codes) % 10], secrets.token_hex(16)
        tenant.codes[device] = form["client_id"]
        page = "https://microsoft.com/devicelogin"
        self.answer(200, {
            "user_code": code, "device_code": device, "verification_uri": page, "expires_in": CODE_LIFE, "interval": 1,
            "message": f"To sign in, use a web browser to open the page {page} and enter the code {code} to authenticate.",
        })

    def token(self, tenant, form):
        client = form.get("client_id", "")
        grant = form.get("grant_type")
        if grant == "client_credentials":
            if tenant.secret and form.get("client_secret") == tenant.secret:
                return self.answer(200, self.world.application_token(tenant, client, form.get("scope", "")))
            return self.refuse("AADSTS7000215: Invalid client secret provided.", "invalid_client", 7000215)
        if grant == "refresh_token" and form.get("refresh_token") in tenant.refresh_tokens:
            outcome = "approved"
        elif grant == "refresh_token":
            outcome = "revoked"
        elif grant in DEVICE_GRANTS and form.get("device_code") in tenant.codes:
            outcome = tenant.outcome
        else:
            outcome = "expired"
        if outcome == "approved":
            scope = form.get("scope", "")
            return self.answer(200, self.world.tokens(tenant, client, scope, self.headers["Host"]))
        error, number, text = ERRORS[outcome]
        return self.refuse(f"AADSTS{number}: {text}", error, number)

    def refuse(self, text, error, number):
        """An error of the token endpoint, in Entra ID's form."""
        trace = "11111111-1111-4111-8111-111111111111"
        description = f"{text} Trace ID: {trace} Correlation ID: {trace} Timestamp: 2026-01-01 00:00:00Z"
        self.answer(400, {
            "error": error, "error_description": description, "error_codes": [number], "timestamp": "2026-01-01 00:00:00Z",
            "trace_id": trace, "correlation_id": trace,
        })

    def bearer(self):
        """The tenant whose living token came along."""
        parts = self.headers.get("Authorization", "").removeprefix("Bearer ").split(".")
        if len(parts) != 3:
            return None
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
        tenant = self.world.tenants.get(claims.get("tid"))
        if tenant and claims.get("appid") in tenant.applications:
            return tenant
        return tenant if tenant and tenant.refresh_tokens else None

    @staticmethod
    def subscription(tenant):
        identifier = "5ab5c41b" + tenant.identifier[8:]
        return {
            "id": f"/subscriptions/{identifier}", "subscriptionId": identifier, "tenantId": tenant.identifier,
            "displayName": "Production", "state": "Enabled",
        }

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
