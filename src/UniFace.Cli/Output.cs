using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.Data;
using UniFace.IO;

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

    /// <summary>Says on standard error which files beside the photos were not used.</summary>
    public static void LeftOut(PhotoSet photos)
    {
        if (photos.LeftOut.Count > 0)
        {
            Console.Error.WriteLine(LeftOutFile.Describe(photos.LeftOut));
        }
    }

    /// <summary>Refuses a file to be written that is one of those to be read, links followed.</summary>
    public static void RequireNotInput(string output, params IEnumerable<string?> inputs)
    {
        if (inputs.FirstOrDefault(input => input is not null && RealPath.Same(RealPath.Of(output), RealPath.Of(input))) is string same)
        {
            throw new UniFaceException($"{output} would replace {same}, which is to be read; name another file.");
        }
    }

    /// <summary>The text that <see cref="Json"/> prints, for a file of the same.</summary>
    public static string ToJson(object value) => JsonSerializer.Serialize(value, value.GetType(), Options);
}
