using System.Reflection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace UniFace.AspNetCore.Http;

/// <summary>
/// Reads a record from multipart/form-data: byte[] and lists of byte[] from files, other properties from text. ASP.NET Core's forms would hold each file
/// twice and hide the headers of text fields, in which text that is not UTF-8 must be refused.
/// </summary>
internal static class MultipartFields
{
    /// <summary>Error message for a body of another media type.</summary>
    public const string ExpectedTypes = "expected a body of application/json (photos as base64) or multipart/form-data (photos as files)";

    private const int MaxFields = 64, MaxHeaderBytes = 4096, MaxTextBytes = 4096;

    /// <summary>Reads the body into a new record.</summary>
    /// <exception cref="BadHttpRequestException">The body is malformed, too large, or has an unknown field.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, MediaTypeHeaderValue type)
        where T : class, new()
    {
        string? boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (boundary is not { Length: > 0 and <= 70 })
        {
            throw new BadHttpRequestException("multipart/form-data without a boundary of at most 70 characters");
        }

        T record = new();
        Dictionary<PropertyInfo, List<byte[]>> given = []; // the files of a list; empty for other properties
        MultipartReader reader = new(boundary, request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = MaxHeaderBytes };
        CancellationToken stop = request.HttpContext.RequestAborted;
        try
        {
            for (int number = 1; await reader.ReadNextSectionAsync(stop) is MultipartSection section; number++)
            {
                if (number > MaxFields)
                {
                    throw new BadHttpRequestException($"the form has more than {MaxFields} fields and files; send fewer at once");
                }

                PropertyInfo property = FindProperty<T>(section, number);
                bool isList = property.PropertyType == typeof(IReadOnlyList<byte[]>), isFile = isList || property.PropertyType == typeof(byte[]);
                byte[] bytes = await ReadBytesAsync(section.Body, isFile ? request.ContentLength ?? int.MaxValue : MaxTextBytes, stop);
                if (!given.TryAdd(property, []) && !isList)
                {
                    throw new BadHttpRequestException($"the form's field {JsonName(property)} is given more than once; give it once");
                }

                if (isList)
                {
                    given[property].Add(bytes);
                }

                property.SetValue(record, isList ? given[property] : isFile ? bytes : Parse(property, bytes));
            }
        }
        catch (Exception e) when (e is InvalidDataException || (e is IOException and not BadHttpRequestException && !stop.IsCancellationRequested))
        {
            throw new BadHttpRequestException("the body is not well-formed multipart/form-data", e);
        }

        return record;
    }

    /// <summary>Lists the fields, for an error message.</summary>
    public static string Expected<T>() => "expected are " + string.Join(", ", typeof(T).GetProperties().Select(JsonName));

    /// <summary>Finds the property of a field; null if there is none of the name.</summary>
    public static PropertyInfo? FindProperty<T>(string name) =>
        typeof(T).GetProperty(name, BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance);

    private static PropertyInfo FindProperty<T>(MultipartSection section, int number)
    {
        foreach (StringValues header in section.Headers!.Values)
        {
            StrictText.EnsureDecoded(header, $"a header of the form's field {number}");
        }

        _ = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? disposition);
        StrictText.EnsureDecoded(disposition?.FileNameStar.Value, $"the file name of the form's field {number}");
        string name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).Value ?? "";
        return FindProperty<T>(name)
            ?? throw new BadHttpRequestException($"field {number} of the form has an unknown name; {Expected<T>()}");
    }

    private static async Task<byte[]> ReadBytesAsync(Stream body, long maxBytes, CancellationToken stop)
    {
        using MemoryStream bytes = new();
        byte[] buffer = new byte[16384];
        for (int read; (read = await body.ReadAsync(buffer, stop)) > 0;)
        {
            if (bytes.Length + read > maxBytes)
            {
                throw new ProblemException(Status413PayloadTooLarge, $"a field of the form has more than {maxBytes} bytes");
            }

            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    private static object? Parse(PropertyInfo property, byte[] bytes)
    {
        string field = $"the form's field {JsonName(property)}", text = StrictText.Decode(bytes, field);
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type == typeof(string) ? text
            : type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) ? real
            : type == typeof(int) && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int whole) ? whole
            : type == typeof(bool) && bool.TryParse(text, out bool truth) ? truth
            : throw new BadHttpRequestException(
                $"{field}: expected {(type == typeof(bool) ? "true or false" : type == typeof(int) ? "a whole number" : "a number")}");
    }

    private static string JsonName(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);
}
