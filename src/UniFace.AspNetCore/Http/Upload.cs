using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace UniFace.AspNetCore.Http;

/// <summary>
/// A request body, as JSON (photos as base64) or as multipart/form-data (photos as files), with the same fields. It is read into memory only, within the
/// service's limit.
/// </summary>
/// <typeparam name="T">The fields.</typeparam>
internal sealed record Upload<T>(T Value) : IEndpointParameterMetadataProvider
    where T : class, new()
{
    /// <summary>Reads the body; called by ASP.NET Core.</summary>
    public static async ValueTask<Upload<T>?> BindAsync(HttpContext context)
    {
        _ = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type);
        bool isForm = type?.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true;
        if (!isForm && type?.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) != true)
        {
            throw new ProblemException(Status415UnsupportedMediaType, MultipartFields.ExpectedTypes);
        }

        BodyMemory memory = context.RequestServices.GetRequiredService<BodyMemory>();
        if (await memory.AcquireAsync(Caller.GetFairShare(context), context.Request.ContentLength, context.RequestAborted) is IDisposable held)
        {
            context.Response.RegisterForDispose(held);
        }

        return new Upload<T>(isForm ? await MultipartFields.ReadAsync<T>(context.Request, type!) : await ReadJsonAsync(context));
    }

    /// <summary>Adds the body to the OpenAPI document.</summary>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json", "multipart/form-data"], typeof(T)));

    private static async Task<T> ReadJsonAsync(HttpContext context)
    {
        try
        {
            JsonSerializerOptions json = context.RequestServices.GetRequiredService<RequestJson>().Options;
            T? value = await JsonSerializer.DeserializeAsync<T>(context.Request.Body, json, context.RequestAborted);
            return value ?? throw new BadHttpRequestException("the body is null; expected a JSON object");
        }
        catch (IOException e) when (e is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException("the body violates HTTP, or ends too early", e);
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException(Describe(e), e);
        }
    }

    private static string Describe(JsonException e)
    {
        // The path is the sender's own text, of any length and with any characters.
        string path = string.Concat((e.Path ?? "$").Take(60).Select(c => char.IsControl(c) ? '?' : c)), name = path.TrimStart('$', '.');
        PropertyInfo? property = MultipartFields.FindProperty<T>(name.Split('[')[0]);
        return e.InnerException is FormatException ? $"{name} is not base64: expected the photo's bytes as base64, without 'data:...;base64,' before them"
            : property is null && name.Length > 0 ? $"the body has a field {name} that is not expected here; {MultipartFields.Expected<T>()}"
            : e.Message.StartsWith("Duplicate", StringComparison.Ordinal) ? $"the body's field {name} is given more than once; give it once"
            : $"the body is not the expected JSON object in UTF-8: error at {path}; /openapi/v1.json describes it";
    }
}
