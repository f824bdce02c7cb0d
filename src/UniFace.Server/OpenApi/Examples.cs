using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;
using UniFace.Server.Endpoints;
using UniFace.Vision.Quality;

namespace UniFace.Server.OpenApi;

/// <summary>What an endpoint's request and answer look like, for the API's description: made of the types themselves, so that they cannot be out of date.</summary>
/// <param name="Request">A request's body; null for none.</param>
/// <param name="Answer">An answer's body; null for none.</param>
/// <param name="Status">The answer's status.</param>
internal sealed record EndpointExample(object? Request, object? Answer, int Status);

/// <summary>Pieces of examples.</summary>
internal static class Examples
{
    /// <summary>A contract id.</summary>
    public const string Contract = "0123456789abcdef0123456789abcdef";

    /// <summary>A SHA-256.</summary>
    public const string Sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    /// <summary>A photo: the first bytes of a JPEG file.</summary>
    public static byte[] Photo => [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 74, 70, 73, 70];

    /// <summary>A face.</summary>
    public static FaceAnswer Face => new(
        new BoxAnswer(212, 96, 180, 180),
        0.93,
        [new(258, 160), new(330, 158), new(294, 202), new(264, 240), new(326, 238)],
        new FaceQuality(72, 0.31, 128, 46, -4, 2, -1),
        [],
        null);

    /// <summary>A value of a parameter in path or query; null for one that says by its default what it is.</summary>
    public static JsonNode? OfParameter(string? name, JsonSchemaType? type) => (name, type?.HasFlag(JsonSchemaType.Array)) switch
    {
        ("person", _) => "Ann",
        ("run", _) => "uce-iresnet18",
        ("result", _) => "uce-iresnet18/lfw",
        ("name", _) => "roc.svg",
        ("loss", true) => new JsonArray("softmax", "uce(margin=0.3)"),
        _ => null,
    };

    /// <summary>Gives an endpoint its examples.</summary>
    public static TBuilder WithExamples<TBuilder>(this TBuilder endpoint, object? request, object? answer = null, int status = StatusCodes.Status200OK)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new EndpointExample(request, answer, status));
}
