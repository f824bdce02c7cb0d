using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace UniFace.Server.Http;

/// <summary>
/// Text of a request is UTF-8, or the request is refused. A decoder that replaces what it cannot read makes one name of two: "Bj\xF6rn" and "Bj\xE4rn",
/// sent in Latin-1, would be one person. Kestrel holds headers to it, System.Text.Json bodies; the rest is here.
/// </summary>
internal static class StrictText
{
    private const char Replaced = '\uFFFD';

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Refuses a path or a query whose percent-encoded bytes are not UTF-8.</summary>
    public static void UseStrictText(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target.Contains('%', StringComparison.Ordinal))
        {
            Read(Unescaped(target), "the address");
        }

        return next(context);
    });

    /// <summary>Text of bytes.</summary>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="what">What they are, for the error.</param>
    /// <exception cref="BadHttpRequestException">They are not UTF-8.</exception>
    public static string Read(ReadOnlySpan<byte> bytes, string what)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Refused(what, e);
        }
    }

    /// <summary>Text that a library has read already, and that must not hold what it replaced.</summary>
    /// <exception cref="BadHttpRequestException">It does.</exception>
    public static string? Whole(string? text, string what) => text?.Contains(Replaced, StringComparison.Ordinal) == true ? throw Refused(what, null) : text;

    private static BadHttpRequestException Refused(string what, Exception? inner) => new($"{what} is not UTF-8; send all text in UTF-8", inner!);

    private static byte[] Unescaped(string target)
    {
        List<byte> bytes = new(target.Length);
        for (int i = 0; i < target.Length; i++)
        {
            bool escaped = target[i] == '%' && i + 2 < target.Length && char.IsAsciiHexDigit(target[i + 1]) && char.IsAsciiHexDigit(target[i + 2]);
            bytes.Add(escaped ? Convert.FromHexString(target.AsSpan(i + 1, 2))[0] : (byte)target[i]);
            i += escaped ? 2 : 0;
        }

        return [.. bytes];
    }
}
