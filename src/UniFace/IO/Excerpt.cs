namespace UniFace.IO;

/// <summary>Shortens untrusted text for an error message.</summary>
internal static class Excerpt
{
    /// <summary>The text, or its first characters and "...".</summary>
    public static string Shorten(this string text, int length) => text.Length > length ? text[..length] + "..." : text;
}
