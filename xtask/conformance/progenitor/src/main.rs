//! A client that `progenitor` generates from our OpenAPI 3.0 document creates, renames, lists and deletes.
//! Arguments: the endpoint and a token.

progenitor::generate_api!("../../../openapi/openapi-3.0.json");

use types::{AccessClientCreate, AccessClientUpdate};

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
    println!("  create, rename, list and delete; 404 and 401 understood");
    Ok(())
}
