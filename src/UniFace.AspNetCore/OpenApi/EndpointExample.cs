using System.Text.Json.Nodes;

namespace UniFace.AspNetCore.OpenApi;

/// <summary>Endpoint metadata: examples for the API's description, built from the types themselves so that they cannot be outdated.</summary>
/// <param name="Request">A request body; null for none.</param>
/// <param name="Answer">A response body; null for none.</param>
/// <param name="Status">The response's status.</param>
internal sealed record EndpointExample(object? Request, object? Answer, int Status);

/// <summary>Endpoint metadata: an example of a parameter in path or query.</summary>
internal sealed record ParameterExample(string Name, JsonNode Value);

/// <summary>Adds examples to endpoints.</summary>
internal static class EndpointExamples
{
    public static TBuilder WithExamples<TBuilder>(this TBuilder endpoint, object? request, object? answer = null, int status = Status200OK)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new EndpointExample(request, answer, status));

    public static TBuilder WithParameterExample<TBuilder>(this TBuilder endpoint, string name, JsonNode value)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ParameterExample(name, value));
}
