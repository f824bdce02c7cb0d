using System.Text.Json;
using System.Text.Json.Serialization;

namespace UniFace.Cli;

/// <summary>How results leave a command: a table or sentence for people, one JSON document for programs.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>Prints an object as JSON on standard output; property names in camel case.</summary>
    public static void Json(object value) => Console.Out.WriteLine(ToJson(value));

    /// <summary>Prints a warning under an answer for people; nothing for null.</summary>
    public static void Warn(string? warning)
    {
        if (warning is not null)
        {
            Console.WriteLine("warning: " + warning);
        }
    }

    /// <summary>The text that <see cref="Json"/> prints, for a file of the same.</summary>
    public static string ToJson(object value) => JsonSerializer.Serialize(value, value.GetType(), Options);
}
