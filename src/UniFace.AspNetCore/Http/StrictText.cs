using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace UniFace.AspNetCore.Http;

/// <summary>
/// Refuses text that is not UTF-8. A decoder that replaces unreadable bytes merges names: "Bj\xF6rn" and "Bj\xE4rn", sent in Latin-1, would be one person.
/// Kestrel checks headers and System.Text.Json checks bodies; the rest is checked here.
/// </summary>
internal static class StrictText
{
    private const char Replacement = '\uFFFD';

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Refuses a path or query whose percent-encoded bytes are not UTF-8.</summary>
    public static void UseStrictText(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        EnsureTarget(context);
        return next(context);
    });

    /// <summary>Refuses a path or query whose percent-encoded bytes are not UTF-8.</summary>
    /// <exception cref="BadHttpRequestException">They are not.</exception>
    public static void EnsureTarget(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        Decode(WebUtility.UrlDecodeToBytes(Encoding.Latin1.GetBytes(target), 0, target.Length)!, "the address");
    }

    /// <summary>Decodes UTF-8.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="what">Names them in the error.</param>
    /// <exception cref="BadHttpRequestException">They are not UTF-8.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes, string what)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw NotUtf8(what, e);
        }
    }

    /// <summary>Refuses text in which a library's decoder has replaced bytes.</summary>
    /// <exception cref="BadHttpRequestException">It has.</exception>
    public static void EnsureDecoded(string? text, string what)
    {
        if (text?.Contains(Replacement, StringComparison.Ordinal) == true)
        {
            throw NotUtf8(what, null);
        }
    }

    private static BadHttpRequestException NotUtf8(string what, Exception? inner) => new($"{what} is not UTF-8; send all text in UTF-8", inner!);
}
