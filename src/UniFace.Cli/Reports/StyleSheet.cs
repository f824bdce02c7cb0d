namespace UniFace.Cli.Reports;

/// <summary>Style sheets embedded in the program.</summary>
internal static class StyleSheet
{
    /// <summary>Reads the style sheet with a name.</summary>
    public static string Read(string name)
    {
        using StreamReader reader = new(typeof(StyleSheet).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
