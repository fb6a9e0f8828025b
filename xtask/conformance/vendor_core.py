"""The vendor's own Python client stack, as a user's program would run it, against the mock server.

The vendor ships no access-client operations, so a bare client of its core calls them. Signing,
transport, errors and retries are all the vendor's. Arguments: the plain and the TLS endpoint, and the
certificate authority of the latter.
"""

import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.client import Client, ClientBuilder
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_response import SdkResponse
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm

COLLECTION = "/v1/access-clients"
ITEM = "/v1/access-clients/{client_id}"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


class Answer(SdkResponse):
    """Any answer, its body left as it is."""

    openapi_types = {}


def call(client, method, path, client_id=None, **parts):
    """One call; what comes back is JSON, or None where there is no body."""
    path_params = {"client_id": client_id} if client_id else {}
    response = client.do_http_request(
        method, path, path_params=path_params, header_params={}, response_type=Answer, **parts
    )
    assert response.status_code == 200, response.status_code
    return response.to_json_object()


def refused(client, status, code, beginning, *arguments, **parts):
    """One call that must be refused, and how the SDK reports it."""
    try:
        call(client, *arguments, **parts)
    except ClientRequestException as error:
        assert error.status_code == status, error
        assert str(error.error_code) == code, error
        assert error.error_msg.startswith(beginning), error
        assert error.request_id.count("-") >= 6, error.request_id
    else:
        raise AssertionError(f"{arguments} was let in")


def all_operations(client, label):
    body = {"name": "from-python", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]}
    created = call(client, "POST", COLLECTION, body=body)
    client_id = created["id"]
    assert created["name"] == "from-python" and created["status"] == "RUNNING", created
    update = {"name": "umbenannt_é_客户端"}
    assert call(client, "PUT", ITEM, client_id, body=update) is None
    assert call(client, "GET", ITEM, client_id)["name"] == update["name"]
    query = [("offset", 0), ("limit", 10), ("id", client_id), ("name", "客户端")]
    page = call(client, "GET", COLLECTION, query_params=query)
    assert [found["id"] for found in page["access_client_infos"]] == [client_id], page
    assert page["total"] == 1, page
    refused(client, 400, "common.01000001", "failed to read http request",
            "GET", COLLECTION, query_params=[("limit", 101)])
    refused(client, 400, "common.01000001", "failed to read http request",
            "POST", COLLECTION, body={"name": "x"})
    assert call(client, "DELETE", ITEM, client_id) is None
    refused(client, 404, "common.01000001", "response status exception", "GET", ITEM, client_id)
    print(f"  {label}: create, rename, show, list and delete; 400 and 404 understood")


def build(endpoint, credentials, config):
    builder = ClientBuilder(Client).with_http_config(config)
    return builder.with_credentials(credentials).with_endpoint(endpoint).build()


def main(plain, secure, authority):
    key = ("AKIDCONFORMANCE", "the-secret-of-conformance")
    project = "0123456789abcdef0123456789abcdef"
    good = BasicCredentials(*key, project)
    temporary = BasicCredentials("AKIDTEMPORARY", "the-secret-of-a-day", project)
    temporary = temporary.with_security_token("gQpjbi1ub3J0aC00example/+==")
    all_operations(build(plain, good, HttpConfig()), "SDK-HMAC-SHA256")
    all_operations(build(plain, temporary, HttpConfig()), "a temporary key")
    sm3 = HttpConfig(signing_algorithm=SigningAlgorithm.HMAC_SM3)
    all_operations(build(plain, good, sm3), "SDK-HMAC-SM3")
    all_operations(build(secure, good, HttpConfig(ssl_ca_cert=authority)), "over TLS")
    derived = ClientBuilder(Client).with_http_config(HttpConfig())
    derived = derived.with_region(Region("cn-north-4", plain))
    derived = derived._with_derived_auth_service_name("dataartsfabric")
    always = BasicCredentials(*key, project).with_derived_predicate(lambda request: True)
    all_operations(derived.with_credentials(always).build(), "V11-HMAC-SHA256")

    wrong = build(plain, BasicCredentials("AKIDWRONG", "not-the-secret", project), HttpConfig())
    beginning = "Incorrect IAM authentication information: "
    refused(wrong, 401, "APIG.0301", beginning + "verify aksk", "GET", COLLECTION)
    refused(wrong, 401, "APIG.0301", beginning + "verify aksk", "PUT", ITEM, UNKNOWN, body={})
    unknown = build(plain, BasicCredentials("AKIDNOBODY", key[1], project), HttpConfig())
    refused(unknown, 401, "APIG.0301", beginning + "Get secretKey", "GET", COLLECTION)
    ecdsa = HttpConfig(signing_algorithm=SigningAlgorithm.ECDSA_P256_SHA256)
    refused(build(plain, good, ecdsa), 401, "APIG.0301", beginning + "the algorithm",
            "GET", COLLECTION)
    elsewhere = build(plain, BasicCredentials(*key, "f" * 32), HttpConfig())
    refused(elsewhere, 403, "403", "X-Auth-Token is invalid", "GET", COLLECTION)
    print("  a wrong secret, an unknown key, an unknown algorithm and another project: refused")


main(*sys.argv[1:])
