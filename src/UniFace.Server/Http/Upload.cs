using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
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
    private static JsonSerializerOptions? strict; // what the answers are written with, but for fields that are not expected, or given twice

    /// <summary>Reads the body; called by ASP.NET Core.</summary>
    public static async ValueTask<Upload<T>?> BindAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type))
        {
            throw Unsupported();
        }

        BodyMemory memory = context.RequestServices.GetRequiredService<BodyMemory>();
        context.Response.RegisterForDispose(await memory.TakeAsync(RequestLimits.CallerOf(context), context.Request.ContentLength, context.RequestAborted));
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
            strict ??= new(context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions)
            {
                UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
                AllowDuplicateProperties = false,
            };
            T? value = await JsonSerializer.DeserializeAsync<T>(context.Request.Body, strict, context.RequestAborted);
            return new Upload<T>(value ?? throw new BadHttpRequestException("the body is null; expected a JSON object"));
        }
        catch (IOException e) when (e is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException("the body is not sent as HTTP wants it, or ends too early", e);
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException(Fault(e), e);
        }
    }

    private static string Fault(JsonException e)
    {
        // The path is the sender's own text: its length and characters are theirs too.
        string path = string.Concat((e.Path ?? "$").Take(60).Select(c => char.IsControl(c) ? '?' : c)), name = path.TrimStart('$', '.');
        PropertyInfo? property = typeof(T).GetProperty(name.Split('[')[0], BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance);
        return e.InnerException is FormatException ? $"{name} is not base64: expected the photo's bytes as base64, without 'data:...;base64,' before them"
            : property is null && name.Length > 0 ? $"the body has a field {name} that is not expected here; {MultipartFields.Expected<T>()}"
            : e.Message.StartsWith("Duplicate", StringComparison.Ordinal) ? $"the body's field {name} is given more than once; give it once"
            : $"the body is not the JSON object in UTF-8 that is expected here: wrong at {path}; /openapi/v1.json says what is expected";
    }

    /// <summary>Tells the OpenAPI document of the body.</summary>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json", "multipart/form-data"], typeof(T)));

    private static BadHttpRequestException Unsupported() =>
        new(UploadTypes.Expected, StatusCodes.Status415UnsupportedMediaType);
}

/// <summary>What an <see cref="Upload{T}"/> is sent as.</summary>
internal static class UploadTypes
{
    /// <summary>For an error.</summary>
    public const string Expected = "expected a body of application/json (photos as base64) or multipart/form-data (photos as files)";
}
