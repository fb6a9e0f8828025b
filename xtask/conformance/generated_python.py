"""A client that openapi-python-client generates from our OpenAPI document creates, renames, lists and
deletes. Arguments: the endpoint and a token.
"""

import sys

from generated_client import AuthenticatedClient, Client
from generated_client.api.access_clients import (
    create_access_client_info,
    delete_vpcep_client,
    list_vpcep_client,
    show_access_client,
    update_access_client_info,
)
from generated_client.models import (
    AccessClientCreate,
    AccessClientUpdate,
    ErrorBody,
)


def main(endpoint, token):
    client = AuthenticatedClient(
        base_url=endpoint, token=token, prefix="", auth_header_name="X-Auth-Token"
    )
    create = AccessClientCreate(name="from-python-client")
    created = create_access_client_info.sync(client=client, body=create)
    update = AccessClientUpdate(name="python_客户端")
    renamed = update_access_client_info.sync_detailed(created.id, client=client, body=update)
    assert renamed.status_code == 200, renamed
    page = list_vpcep_client.sync(client=client, name="客户端", limit=5)
    assert [found.name for found in page.access_client_infos] == ["python_客户端"], page
    assert delete_vpcep_client.sync_detailed(created.id, client=client).status_code == 200
    gone = show_access_client.sync_detailed(created.id, client=client)
    assert gone.status_code == 404 and isinstance(gone.parsed, ErrorBody), gone
    refused = list_vpcep_client.sync_detailed(client=Client(base_url=endpoint))
    assert refused.status_code == 401 and refused.parsed.error_code == "APIG.1002", refused
    print("  create, rename, list and delete; 404 and 401 understood")


main(*sys.argv[1:])
