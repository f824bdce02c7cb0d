namespace UniFace.Training.Losses;

/// <summary>A loss as JSON: numbers as numbers, flags as true and false, choices as text.</summary>
internal sealed class LossJsonConverter : JsonConverter<Loss>
{
    public override Loss Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        JsonElement root = JsonElement.ParseValue(ref reader);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            throw new JsonException("A loss is an object with a name and hyperparameters.");
        }

        bool given = root.TryGetProperty("hyperparameters", out JsonElement values) && values.ValueKind == JsonValueKind.Object;
        if (given && values.EnumerateObject().CountBy(value => value.Name).FirstOrDefault(value => value.Value > 1).Key is string twice)
        {
            throw new JsonException($"The hyperparameter {twice} is given twice.");
        }

        return LossRegistry.Create(
            name.GetString()!,
            given
                ? values.EnumerateObject().ToDictionary(v => v.Name, v => Text(v.Value))
                : []);
    }

    public override void Write(Utf8JsonWriter writer, Loss value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("name", value.Name);
        writer.WriteStartObject("hyperparameters");
        foreach ((string key, string text) in value.Values)
        {
            writer.WritePropertyName(key);
            if (text is "true" or "false" || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            {
                writer.WriteRawValue(text);
            }
            else
            {
                writer.WriteStringValue(text);
            }
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
