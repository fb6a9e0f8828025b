//! The endpoint of the service: a given URL, or that of a region.

use url::{Host, Url};

use crate::Environment;

/// The variable that names the identity service, as in the vendor's SDKs.
pub(crate) const IDENTITY_ENDPOINT: &str = "HUAWEICLOUD_SDK_IAM_ENDPOINT";

/// The endpoint of the identity service beside that of the service.
///
/// The vendor has one for each region, and one for all. Any other service, such as the mock server, answers
/// sign-in at its own endpoint, so that no password goes elsewhere.
pub(crate) fn of_identity(service: &Url, region: Option<&str>) -> String {
    if !service.host_str().is_some_and(|host| host.ends_with(".myhuaweicloud.com")) {
        return service.as_str().to_owned();
    }
    match region {
        Some(region) => format!("https://iam.{region}.myhuaweicloud.com"),
        None => "https://iam.myhuaweicloud.com".to_owned(),
    }
}

/// Without the version that `OS_AUTH_URL` may end in, and without a slash, since every target begins with one.
pub(crate) fn without_version(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix("/v3").unwrap_or(url)
}

/// The endpoint of a region, or why the region is invalid.
///
/// `HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_<REGION>` overrides it, as in the vendor's SDKs: capitals, with
/// `_` for `-`. The first of a comma-separated list is used; without a scheme it is `https`.
pub(crate) fn of_region(region: &str, environment: &Environment) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.starts_with('-') || !region.bytes().all(is_plain) {
        return Err("the region must be like cn-north-4".to_owned());
    }
    let name = region.to_ascii_uppercase().replace('-', "_");
    let variable = format!("HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_{name}");
    let Some(list) = environment.get(&variable) else {
        return Ok(format!("https://fabric.{region}.myhuaweicloud.com"));
    };
    let first = list.split(',').next().unwrap_or_default().trim();
    if first.is_empty() {
        return Err(format!("{variable} must begin with an endpoint"));
    }
    Ok(if first.contains("://") { first.to_owned() } else { format!("https://{first}") })
}

/// Parses and checks an endpoint.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("the endpoint must be a URL such as https://host: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("the endpoint must be an http or https URL".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the endpoint must have no query and no fragment".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the endpoint must hold no user and no password".to_owned());
    }
    Ok(url)
}

/// Parses and checks an endpoint to which credentials are sent.
pub(crate) fn parse_safe(text: &str, allow_plain_http: bool) -> Result<Url, String> {
    let endpoint = parse(text)?;
    if endpoint.scheme() == "http" && !is_this_machine(&endpoint) && !allow_plain_http {
        return Err("plain http shows tokens and data to the network: use https, or \
                    allow_plain_http"
            .to_owned());
    }
    Ok(endpoint)
}

/// Whether requests to the endpoint stay on this machine.
pub(crate) fn is_this_machine(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
