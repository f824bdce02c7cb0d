using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace UniFace.Server.Http;

/// <summary>Fields of a record from multipart/form-data: byte[] and lists of it from files, the others from text.</summary>
internal static class MultipartFields
{
    private const int MaxFields = 64, MaxHeaderBytes = 4096, MaxTextBytes = 4096;

    /// <summary>Reads the body into a new record.</summary>
    /// <exception cref="BadHttpRequestException">It is not well-formed, too large, or has a field that is not expected.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, MediaTypeHeaderValue type)
        where T : class, new()
    {
        string? boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 70)
        {
            throw new BadHttpRequestException("multipart/form-data without a boundary of at most 70 characters");
        }

        Dictionary<PropertyInfo, List<byte[]>> lists = [];
        HashSet<PropertyInfo> given = [];
        T fields = new();
        MultipartReader reader = new(boundary, request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = MaxHeaderBytes };
        CancellationToken stop = request.HttpContext.RequestAborted;
        try
        {
            for (int read = 0; await reader.ReadNextSectionAsync(stop) is MultipartSection section; read++)
            {
                if (read == MaxFields)
                {
                    throw new BadHttpRequestException($"the form has more than {MaxFields} fields and files; send fewer at once");
                }

                PropertyInfo property = Property<T>(section, read + 1);
                bool list = property.PropertyType == typeof(IReadOnlyList<byte[]>);
                if (list || property.PropertyType == typeof(byte[]))
                {
                    byte[] file = await BytesAsync(section.Body, request.ContentLength ?? int.MaxValue, stop);
                    if (!list)
                    {
                        Set(property, file);
                    }
                    else if (lists.TryGetValue(property, out List<byte[]>? files))
                    {
                        files.Add(file);
                    }
                    else
                    {
                        lists.Add(property, [file]);
                    }
                }
                else
                {
                    byte[] text = await BytesAsync(section.Body, MaxTextBytes, stop);
                    Set(property, Parse(property, StrictText.Read(text, $"the form's field {JsonName(property.Name)}")));
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException || (e is IOException and not BadHttpRequestException && !stop.IsCancellationRequested))
        {
            throw new BadHttpRequestException("the body is not well-formed multipart/form-data", e);
        }

        foreach ((PropertyInfo property, List<byte[]> files) in lists)
        {
            property.SetValue(fields, files);
        }

        return fields;

        void Set(PropertyInfo property, object? value)
        {
            if (!given.Add(property))
            {
                throw new BadHttpRequestException($"the form's field {JsonName(property.Name)} is given more than once; give it once");
            }

            property.SetValue(fields, value);
        }
    }

    private static PropertyInfo Property<T>(MultipartSection section, int number)
    {
        foreach (StringValues header in section.Headers!.Values)
        {
            StrictText.Whole(header, $"a header of the form's field {number}");
        }

        _ = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? disposition);
        StrictText.Whole(disposition?.FileNameStar.Value, $"the file name of the form's field {number}");
        string name = HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).Value ?? "";
        return typeof(T).GetProperty(name, BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance)
            ?? throw new BadHttpRequestException($"field {number} of the form has no name that is expected here; {Expected<T>()}");
    }

    private static async Task<byte[]> BytesAsync(Stream body, long most, CancellationToken stop)
    {
        using MemoryStream bytes = new();
        byte[] buffer = new byte[16384];
        for (int read; (read = await body.ReadAsync(buffer, stop)) > 0;)
        {
            if (bytes.Length + read > most)
            {
                throw new BadHttpRequestException($"a field of the form has more than {most} bytes", StatusCodes.Status413PayloadTooLarge);
            }

            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    private static object? Parse(PropertyInfo property, string text)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type == typeof(string) ? text
            : type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) ? real
            : type == typeof(int) && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int whole) ? whole
            : type == typeof(bool) && bool.TryParse(text, out bool truth) ? truth
            : throw new BadHttpRequestException($"the form's field {JsonName(property.Name)} is not what is expected: {(type == typeof(bool) ? "true or false" : "a number")}");
    }

    /// <summary>Which fields there are, for an error.</summary>
    public static string Expected<T>() => "expected are " + string.Join(", ", typeof(T).GetProperties().Select(p => JsonName(p.Name)));

    private static string JsonName(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
