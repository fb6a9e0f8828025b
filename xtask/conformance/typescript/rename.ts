// A client that openapi-typescript and openapi-fetch make of our OpenAPI document creates, renames, lists
// and deletes. Arguments: the endpoint and a token.

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
console.log("  create, rename, list and delete; 404 and 401 understood");
