using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace UniFace.AspNetCore.OpenApi;

/// <summary>
/// The API's description, /openapi/v1.json: OpenAPI 3.0, with examples, errors and the scope that each endpoint requires. Summaries and descriptions are the
/// XML comments of handlers and types.
/// </summary>
internal static class ApiDescription
{
    private const string KeyScheme = "apiKey";

    public static void AddApiDescription(this IServiceCollection services)
    {
        services.AddOpenApi("v1"); // adds the XML comments of this assembly
        services.PostConfigure<OpenApiOptions>("v1", Configure); // after the XML comments of all assemblies
    }

    private static void Configure(OpenApiOptions options)
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_0;
        options.AddDocumentTransformer(async (document, context, stop) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "UniFace",
                Version = "v1",
                Description = "Face detection, verification, enrollment and identification. " +
                    "Errors are problem+json (RFC 9457): one line that says what is wrong and what to do.",
            };
            document.Servers = [];
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [KeyScheme] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "A key made by 'uniface serve keys create'. On the service's own machine none is needed, unless the service requires keys.",
                },
            };
            document.AddComponent(nameof(Problem), await context.GetOrCreateSchemaAsync(typeof(Problem), cancellationToken: stop));
        });
        options.AddOperationTransformer(TransformAsync);
    }

    private static Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken stop)
    {
        IList<object> metadata = context.Description.ActionDescriptor.EndpointMetadata;
        SchemaExamples examples = new(metadata.OfType<MethodInfo>().Single().Module.Assembly);
        if (operation.RequestBody?.Content is IDictionary<string, OpenApiMediaType> request
            && request.TryGetValue("multipart/form-data", out OpenApiMediaType? form))
        {
            request["application/json"].Example = examples.Find(form.Schema);
            form.Schema = FormSchema(form.Schema);
        }

        operation.Responses ??= [];
        foreach ((string type, OpenApiMediaType body) in operation.Responses.Values.SelectMany(r => r.Content ?? new Dictionary<string, OpenApiMediaType>()))
        {
            if (type == "image/png")
            {
                body.Schema = FileSchema(null);
            }
            else if (examples.Find(body.Schema) is JsonNode example)
            {
                body.Example = type == "text/event-stream" ? $"data: {example.ToJsonString()}\n\n" : example;
            }
        }

        if (RequiredScope.Find(metadata, context.Description.RelativePath, context.Description.HttpMethod ?? "") is Security.Scope scope)
        {
            operation.Description = $"{operation.Description} Requires the scope {scope.Name()}.".TrimStart();
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, context.Document)] = [] }];
        }

        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "What is wrong, in one line.",
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), context.Document) },
            },
        };
        return Task.CompletedTask;
    }

    // Files in a form are bytes, not base64.
    private static OpenApiSchema FormSchema(IOpenApiSchema? json)
    {
        OpenApiSchema form = new() { Type = JsonSchemaType.Object, Properties = new Dictionary<string, IOpenApiSchema>() };
        foreach ((string name, IOpenApiSchema property) in json?.Properties ?? new Dictionary<string, IOpenApiSchema>())
        {
            form.Properties[name] = property.Items?.Format == "byte"
                ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = FileSchema(property.Items.Description), Description = property.Description }
                : property.Format == "byte" ? FileSchema(property.Description)
                : property;
        }

        return form;
    }

    private static OpenApiSchema FileSchema(string? description) => new() { Type = JsonSchemaType.String, Format = "binary", Description = description };
}
