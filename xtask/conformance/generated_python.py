"""A client that openapi-python-client generates from our OpenAPI document creates, renames, lists and
deletes: access clients, and a workspace with a tag and an endpoint. Arguments: the endpoint and a token.
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
from generated_client.api.endpoints import create_endpoint, delete_endpoint, show_endpoint
from generated_client.api.tags import (
    batch_create_fabric_workspace_tags,
    list_tag_fabric_workspaces,
)
from generated_client.api.workspaces import create_workspace, delete_workspace
from generated_client.models import (
    AccessClientCreate,
    AccessClientUpdate,
    EndpointCreate,
    EndpointStatus,
    EndpointType,
    ErrorBody,
    Tag,
    TagsCreate,
    TagValues,
    WorkspaceCreate,
    WorkspaceFilter,
)


def access_clients(client, endpoint):
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
    print("  access clients: create, rename, list and delete; 404 and 401 understood")


def workspaces(client, project):
    workspace = create_workspace.sync(client=client, body=WorkspaceCreate(name="python-client"))
    tags = TagsCreate(tags=[Tag(key="team", value="données")])
    tagged = batch_create_fabric_workspace_tags.sync_detailed(
        project, workspace.id, client=client, body=tags
    )
    assert tagged.status_code == 204, tagged
    by_tag = WorkspaceFilter(tags=[TagValues(key="team", values=["données"])])
    found = list_tag_fabric_workspaces.sync(project, client=client, body=by_tag)
    assert [it.resource_name for it in found.resources] == ["python-client"], found

    body = EndpointCreate(name="端点", type_=EndpointType.RAY)
    endpoint = create_endpoint.sync(workspace.id, client=client, body=body)
    shown = show_endpoint.sync(workspace.id, endpoint.id, client=client)
    assert (shown.name, shown.type_) == ("端点", EndpointType.RAY), shown
    assert shown.status is EndpointStatus.RUNNING, shown
    deleted = delete_endpoint.sync_detailed(workspace.id, endpoint.id, client=client)
    assert deleted.status_code == 202, deleted
    assert delete_workspace.sync_detailed(workspace.id, client=client).status_code == 200
    print("  a workspace with a tag and an endpoint: create, show, find by the tag and delete")


def main(endpoint, token):
    client = AuthenticatedClient(
        base_url=endpoint, token=token, prefix="", auth_header_name="X-Auth-Token"
    )
    access_clients(client, endpoint)
    # The project of credentials that have none.
    workspaces(client, "default")


main(*sys.argv[1:])
