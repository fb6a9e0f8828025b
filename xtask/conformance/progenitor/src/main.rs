//! A client that `progenitor` generates from our OpenAPI 3.0 document creates, renames, lists and deletes:
//! access clients, and a workspace with a tag and an endpoint. Arguments: the endpoint and a token.

progenitor::generate_api!("../../../openapi/openapi-3.0.json");

use types::{
    AccessClientCreate, AccessClientUpdate, EndpointCreate, EndpointStatus, TagsCreate,
    WorkspaceCreate,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, token] = arguments.as_slice() else { return Err("ENDPOINT TOKEN".into()) };
    let token: types::AuthToken = token.parse()?;
    let client = Client::new(endpoint);

    let create: AccessClientCreate = serde_json::from_str(r#"{"name": "from-progenitor"}"#)?;
    let created = client.create_access_client_info(Some(&token), &create).await?;
    let id = created.id.clone().ok_or("no id")?;

    let update: AccessClientUpdate = serde_json::from_str(r#"{"name": "progenitor_客户端"}"#)?;
    client.update_access_client_info(&id.parse()?, Some(&token), &update).await?;
    let name = "客户端".parse()?;
    let page = client.list_vpcep_client(None, None, Some(&name), None, Some(&token)).await?;
    let names: Vec<_> =
        page.access_client_infos.iter().filter_map(|found| found.name.clone()).collect();
    assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["progenitor_客户端"]);

    client.delete_vpcep_client(&id.parse()?, Some(&token)).await?;
    let gone = client.show_access_client(&id.parse()?, Some(&token)).await.unwrap_err();
    assert_eq!(gone.status().map(|status| status.as_u16()), Some(404));
    let refused = client.list_vpcep_client(None, None, None, None, None).await.unwrap_err();
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(401));
    println!("  access clients: create, rename, list and delete; 404 and 401 understood");
    workspaces(&client, &token).await
}

async fn workspaces(
    client: &Client,
    token: &types::AuthToken,
) -> Result<(), Box<dyn std::error::Error>> {
    // The project of credentials that have none.
    let project = "default".parse()?;
    let create: WorkspaceCreate = serde_json::from_str(r#"{"name": "progenitor"}"#)?;
    let workspace = client.create_workspace(Some(token), &create).await?;
    let workspace = workspace.id.clone().ok_or("no id")?.parse()?;
    let tags: TagsCreate =
        serde_json::from_str(r#"{"tags": [{"key": "team", "value": "données"}]}"#)?;
    client.batch_create_fabric_workspace_tags(&project, &workspace, Some(token), &tags).await?;
    let listed =
        client.list_fabric_workspace_tags(&project, &workspace, None, None, Some(token)).await?;
    let values: Vec<_> = listed.tags.iter().filter_map(|tag| tag.value.clone()).collect();
    assert_eq!(values.iter().map(|value| value.as_str()).collect::<Vec<_>>(), ["données"]);

    let create: EndpointCreate = serde_json::from_str(r#"{"name": "端点", "type": "ray"}"#)?;
    let endpoint = client.create_endpoint(&workspace, Some(token), &create).await?;
    let endpoint = endpoint.id.parse()?;
    let shown = client.show_endpoint(&workspace, &endpoint, None, Some(token)).await?;
    assert_eq!(shown.status, EndpointStatus::Running);
    client.delete_endpoint(&workspace, &endpoint, Some(token)).await?;
    client.delete_workspace(&workspace, Some(token)).await?;
    println!("  a workspace with a tag and an endpoint: create, show, list the tag and delete");
    Ok(())
}
