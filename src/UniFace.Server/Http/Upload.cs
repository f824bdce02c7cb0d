using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace UniFace.Server.Http;

/// <summary>
/// A request's body, taken as JSON (photos as base64) or as multipart/form-data (photos as files): the same fields either way. It is read
/// into memory only, within the service's limit, and never touches a disk.
/// </summary>
/// <typeparam name="T">The fields.</typeparam>
internal sealed record Upload<T>(T Value) : IEndpointParameterMetadataProvider
    where T : class, new()
{
    /// <summary>Reads the body; called by ASP.NET Core.</summary>
    public static async ValueTask<Upload<T>?> BindAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type))
        {
            throw Unsupported();
        }

        BodyMemory memory = context.RequestServices.GetRequiredService<BodyMemory>();
        context.Response.RegisterForDispose(await memory.TakeAsync(context.Request.ContentLength, context.RequestAborted));
        if (type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return new Upload<T>(await MultipartFields.ReadAsync<T>(context.Request, type));
        }

        if (!type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw Unsupported();
        }

        try
        {
            JsonSerializerOptions json = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
            T? value = await JsonSerializer.DeserializeAsync<T>(context.Request.Body, json, context.RequestAborted);
            return new Upload<T>(value ?? throw new BadHttpRequestException("the body is null; expected a JSON object"));
        }
        catch (IOException e) when (e is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException("the body is not sent as HTTP wants it, or ends too early", e);
        }
        catch (JsonException e)
        {
            // The path is the sender's own text: its length is theirs too.
            string path = e.Path is { Length: > 60 } ? e.Path[..60] : e.Path ?? "$";
            throw new BadHttpRequestException($"the body is not the JSON object that is expected here: wrong at {path}; /openapi/v1.json says what is expected", e);
        }
    }

    /// <summary>Tells the OpenAPI document of the body.</summary>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json", "multipart/form-data"], typeof(T)));

    private static BadHttpRequestException Unsupported() =>
        new("expected a body of application/json (photos as base64) or multipart/form-data (photos as files)", StatusCodes.Status415UnsupportedMediaType);
}
