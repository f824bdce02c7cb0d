using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace UniFace.AspNetCore.OpenApi;

/// <summary>
/// Examples of request and response bodies: examples.json of the assembly that maps an endpoint, by name of the schema. { "$ref": NAME } stands for the example
/// of another schema.
/// </summary>
internal sealed class SchemaExamples(Assembly assembly)
{
    private readonly JsonNode examples = JsonNode.Parse(assembly.GetManifestResourceStream("examples.json")!)!;

    /// <summary>The example of a schema; null if it has none.</summary>
    public JsonNode? Find(IOpenApiSchema? schema) =>
        schema is OpenApiSchemaReference { Reference.Id: string name } ? Expand(examples[name])
        : schema?.Items is IOpenApiSchema items ? new JsonArray(Find(items))
        : null;

    private JsonNode? Expand(JsonNode? node) => node switch
    {
        JsonObject { Count: 1 } reference when reference["$ref"] is JsonNode name => Expand(examples[name.GetValue<string>()]),
        JsonObject fields => new JsonObject(fields.Select(f => KeyValuePair.Create(f.Key, Expand(f.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Expand)]),
        _ => node?.DeepClone(),
    };
}
