namespace UniFace.Cli.Losses;

/// <summary>Reads the fields of a case, or of the file if the case does not have them. Errors name the case.</summary>
internal sealed class CaseReader(JsonElement element, JsonElement? file, string where)
{
    public UniFaceException Bad(string what) => new($"{where}: {what}.");

    /// <summary>Adds the case to errors about hyperparameters.</summary>
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
            throw new UniFaceException($"{where}: a value of 'params' has an unexpected type: {e.Message}", e);
        }
    }

    public string Text(string name) => Field(name, JsonValueKind.String, "text").GetString()!;

    public double Number(string name) => Number(Field(name), name);

    public IEnumerable<JsonElement> List(string name) => Field(name, JsonValueKind.Array, "a list").EnumerateArray();

    public IEnumerable<JsonProperty> Object(string name) => Field(name, JsonValueKind.Object, "an object").EnumerateObject();

    /// <summary>A list of numbers, or a single number.</summary>
    public double[] Vector(string name) =>
        Field(name).ValueKind == JsonValueKind.Number ? [Number(name)] : [.. List(name).Select(e => Number(e, name))];

    public double[,] Matrix(string name)
    {
        JsonElement[] rows = [.. List(name)];
        int columns = rows.Length > 0 && rows[0].ValueKind == JsonValueKind.Array ? rows[0].GetArrayLength() : 0;
        int bad = Array.FindIndex(rows, row => row.ValueKind != JsonValueKind.Array || row.GetArrayLength() != columns);
        if (bad >= 0)
        {
            throw Bad($"field '{name}' is not a list of rows of equal length (row {bad})");
        }

        if (columns == 0)
        {
            throw Bad($"field '{name}' is empty");
        }

        double[,] matrix = new double[rows.Length, columns];
        for (int i = 0; i < matrix.Length; i++)
        {
            matrix[i / columns, i % columns] = Number(rows[i / columns][i % columns], name);
        }

        return matrix;
    }

    /// <summary>The numbers of the case itself that are present.</summary>
    public IReadOnlyDictionary<string, double> OptionalNumbers(params string[] names) => names
        .Where(n => element.TryGetProperty(n, out JsonElement field) && field.ValueKind == JsonValueKind.Number)
        .ToDictionary(n => n, n => Number(element.GetProperty(n), n));

    private double Number(JsonElement field, string name)
    {
        if (field.ValueKind == JsonValueKind.Number && field.TryGetDouble(out double value) && double.IsFinite(value))
        {
            return value;
        }

        string text = field.GetRawText();
        throw Bad($"field '{name}' holds {(text.Length > 20 ? text[..20] + "..." : text)}, which is not a finite number");
    }

    private JsonElement Field(string name, JsonValueKind kind, string expected) =>
        Field(name) is JsonElement field && field.ValueKind == kind ? field : throw Bad($"field '{name}' is not {expected}");

    private JsonElement Field(string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Bad("not an object");
        }

        return element.TryGetProperty(name, out JsonElement field)
            || (name is "embeddings" or "centers" or "labels" && file is JsonElement shared && shared.TryGetProperty(name, out field))
            ? field
            : throw Bad($"field '{name}' is missing");
    }
}
