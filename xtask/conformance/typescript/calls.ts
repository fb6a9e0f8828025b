// A client that openapi-typescript and openapi-fetch make of our OpenAPI document creates, renames, lists
// and deletes: access clients, and a workspace with a tag and an endpoint. Arguments: the endpoint and a token.

import assert from "node:assert";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const [endpoint, token] = process.argv.slice(2);
assert(endpoint && token, "usage: ENDPOINT TOKEN");
const client = createClient<paths>({ baseUrl: endpoint, headers: { "X-Auth-Token": token } });

// A failure may come from the service, from its gateway or from the identity service.
function code(error: object | undefined): unknown {
  return error && "error_code" in error ? error.error_code : undefined;
}

const created = await client.POST("/v1/access-clients", { body: { name: "from-typescript" } });
const client_id = created.data?.id;
assert(client_id, "a created access client has an id");
const one = { params: { path: { client_id } } };

const body = { name: "typescript_客户端" };
const renamed = await client.PUT("/v1/access-clients/{client_id}", { ...one, body });
assert.strictEqual(renamed.response.status, 200);

const query = { name: "客户端", limit: 5 };
const listed = await client.GET("/v1/access-clients", { params: { query } });
assert.deepStrictEqual(listed.data?.access_client_infos?.map((found) => found.name), [body.name]);

const deleted = await client.DELETE("/v1/access-clients/{client_id}", one);
assert.strictEqual(deleted.response.status, 200);
const gone = await client.GET("/v1/access-clients/{client_id}", one);
assert.strictEqual(gone.response.status, 404);
assert.strictEqual(code(gone.error), "common.01000001");

const stranger = createClient<paths>({ baseUrl: endpoint });
const refused = await stranger.GET("/v1/access-clients");
assert.strictEqual(code(refused.error), "APIG.1002");
console.log("  access clients: create, rename, list and delete; 404 and 401 understood");

const made = await client.POST("/v1/workspaces", { body: { name: "typescript" } });
const workspace_id = made.data?.id;
assert(workspace_id, "a created workspace has an id");
const workspace = { params: { path: { workspace_id } } };
// The project of credentials that have none.
const path = { project_id: "default", workspace_id };
const tags = [{ key: "team", value: "données" }];
const tagged = await client.POST(
  "/v1/{project_id}/fabric-workspace/{workspace_id}/tags/create", { params: { path }, body: { tags } });
assert.strictEqual(tagged.response.status, 204);
const found = await client.GET(
  "/v1/{project_id}/fabric-workspace/{workspace_id}/tags", { params: { path } });
assert.deepStrictEqual(found.data?.tags, tags);

const created_endpoint = await client.POST(
  "/v1/workspaces/{workspace_id}/endpoints", { ...workspace, body: { name: "端点", type: "ray" } });
const endpoint_id = created_endpoint.data?.id;
assert(endpoint_id, "a created endpoint has an id");
const in_workspace = { params: { path: { workspace_id, endpoint_id } } };
const shown = await client.GET("/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}", in_workspace);
assert.deepStrictEqual([shown.data?.name, shown.data?.status], ["端点", "RUNNING"]);
const removed = await client.DELETE(
  "/v1/workspaces/{workspace_id}/endpoints/{endpoint_id}", in_workspace);
assert.strictEqual(removed.response.status, 202);
const cleared = await client.DELETE("/v1/workspaces/{workspace_id}", workspace);
assert.strictEqual(cleared.response.status, 200);
console.log("  a workspace with a tag and an endpoint: create, show, list the tag and delete");
