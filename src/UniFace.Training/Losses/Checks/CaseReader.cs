using System.Text.Json;

namespace UniFace.Training.Losses.Checks;

/// <summary>Fields of a case, or of the file where the case has none of its own; what is wrong is said with the case's number.</summary>
internal sealed class CaseReader(JsonElement element, JsonElement? fallback, string where)
{
    public UniFaceException Bad(string what) => new($"{where}: {what}.");

    /// <summary>Says where for what is thrown about hyperparameters.</summary>
    public T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (UniFaceException e) when (!e.Message.StartsWith(where, StringComparison.Ordinal))
        {
            throw new UniFaceException($"{where}: {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new UniFaceException($"{where}: a value of 'params' is not of the kind that was expected: {e.Message}", e);
        }
    }

    public string Text(string name)
    {
        JsonElement field = Field(name);
        return field.ValueKind == JsonValueKind.String ? field.GetString()! : throw Bad($"field '{name}' is not text");
    }

    public double Number(string name) => Number(Field(name), name);

    public IEnumerable<JsonElement> Array(string name)
    {
        JsonElement field = Field(name);
        return field.ValueKind == JsonValueKind.Array ? field.EnumerateArray() : throw Bad($"field '{name}' is not a list");
    }

    public IEnumerable<JsonProperty> Object(string name)
    {
        JsonElement field = Field(name);
        return field.ValueKind == JsonValueKind.Object ? field.EnumerateObject() : throw Bad($"field '{name}' is not an object");
    }

    /// <summary>A list of numbers, or a single one.</summary>
    public IReadOnlyList<double> Vector(string name) =>
        Field(name).ValueKind == JsonValueKind.Number ? [Number(name)] : [.. Array(name).Select(e => Number(e, name))];

    public CaseMatrix Matrix(string name)
    {
        List<double> values = [];
        int rows = 0;
        int columns = -1;
        foreach (JsonElement row in Array(name))
        {
            if (row.ValueKind != JsonValueKind.Array || (columns >= 0 && row.GetArrayLength() != columns))
            {
                throw Bad($"field '{name}' is not a list of rows of equal length (row {rows})");
            }

            columns = row.GetArrayLength();
            rows++;
            values.AddRange(row.EnumerateArray().Select(e => Number(e, name)));
        }

        return rows > 0 && columns > 0 ? new CaseMatrix(rows, columns, values) : throw Bad($"field '{name}' is empty");
    }

    /// <summary>Those of the case's own numbers that are there.</summary>
    public IReadOnlyDictionary<string, double> Optional(params string[] names) => names
        .Where(n => element.TryGetProperty(n, out JsonElement field) && field.ValueKind == JsonValueKind.Number)
        .ToDictionary(n => n, n => Number(element.GetProperty(n), n));

    private double Number(JsonElement field, string name)
    {
        if (field.ValueKind != JsonValueKind.Number || !field.TryGetDouble(out double value) || !double.IsFinite(value))
        {
            throw Bad($"field '{name}' holds {Short(field)}, which is not a finite number");
        }

        return value;
    }

    private JsonElement Field(string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Bad("not an object");
        }

        if (element.TryGetProperty(name, out JsonElement own))
        {
            return own;
        }

        return fallback is JsonElement file && name is "embeddings" or "centers" or "labels" && fallback.Value.TryGetProperty(name, out JsonElement shared)
            ? shared
            : throw Bad($"field '{name}' is missing");
    }

    private static string Short(JsonElement field)
    {
        string text = field.GetRawText();
        return text.Length > 20 ? text[..20] + "..." : text;
    }
}
