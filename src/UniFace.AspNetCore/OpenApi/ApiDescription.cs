using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace UniFace.AspNetCore.OpenApi;

/// <summary>The API's description, /openapi/v1.json: OpenAPI 3.0, with examples, errors and the scope that each endpoint requires.</summary>
internal static class ApiDescription
{
    private const string ProblemName = "Problem", KeyScheme = "apiKey";

    public static void AddApiDescription(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_0;
        options.AddDocumentTransformer((document, _, _) =>
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
            document.AddComponent(ProblemName, ProblemSchema());
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(TransformAsync);
    });

    private static Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken stop)
    {
        IList<object> metadata = context.Description.ActionDescriptor.EndpointMetadata;
        JsonSerializerOptions json = context.ApplicationServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        if (operation.RequestBody?.Content is IDictionary<string, OpenApiMediaType> request
            && request.TryGetValue("multipart/form-data", out OpenApiMediaType? form))
        {
            form.Schema = FormSchema(form.Schema);
        }

        operation.Responses ??= [];
        foreach (OpenApiMediaType image in operation.Responses.Values.SelectMany(r => r.Content ?? new Dictionary<string, OpenApiMediaType>())
            .Where(c => c.Key == "image/png").Select(c => c.Value))
        {
            image.Schema = FileSchema(null);
        }

        if (metadata.OfType<EndpointExample>().FirstOrDefault() is EndpointExample example)
        {
            AddExample(operation.RequestBody?.Content, example.Request, json);
            _ = operation.Responses.TryGetValue(example.Status.ToString(CultureInfo.InvariantCulture), out IOpenApiResponse? answer);
            AddExample(answer?.Content, example.Answer, json);
        }

        foreach (OpenApiParameter parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            parameter.Example = metadata.OfType<ParameterExample>().LastOrDefault(e => e.Name == parameter.Name)?.Value.DeepClone();
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
                ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(ProblemName, context.Document) },
            },
        };
        return Task.CompletedTask;
    }

    private static void AddExample(IDictionary<string, OpenApiMediaType>? content, object? value, JsonSerializerOptions json)
    {
        if (value is null || content is null)
        {
            return;
        }

        if (content.TryGetValue("application/json", out OpenApiMediaType? media))
        {
            media.Example = JsonSerializer.SerializeToNode(value, value.GetType(), json);
        }
        else if (content.TryGetValue("text/event-stream", out OpenApiMediaType? events))
        {
            events.Example = $"data: {JsonSerializer.Serialize(value, value.GetType(), json)}\n\n";
        }
    }

    private static OpenApiSchema ProblemSchema()
    {
        static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = description };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "What went wrong (RFC 9457).",
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["title"] = Text("The kind of error."),
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Description = "HTTP status." },
                ["detail"] = Text("What is wrong and what to do, in one line."),
                ["faults"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array | JsonSchemaType.Null,
                    Items = new OpenApiSchema { Type = JsonSchemaType.String },
                    Description = "More lines, such as what is wrong with each photo.",
                },
            },
        };
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
