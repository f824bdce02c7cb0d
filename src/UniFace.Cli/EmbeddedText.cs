namespace UniFace.Cli;

/// <summary>Text files embedded in the program.</summary>
internal static class EmbeddedText
{
    /// <summary>Reads the file with a name.</summary>
    public static string Read(string name)
    {
        using StreamReader reader = new(typeof(EmbeddedText).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
