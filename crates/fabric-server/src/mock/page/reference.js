// Starts Swagger UI with both documents. The badge of its validator would be asked for elsewhere.
SwaggerUIBundle({
  dom_id: "#reference",
  urls: [
    { name: "The contract", url: "/_mock/openapi.json" },
    { name: "The control surface", url: "/_mock/v1/openapi.json" },
  ],
  "urls.primaryName": "The contract",
  validatorUrl: null,
  deepLinking: true,
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
});
