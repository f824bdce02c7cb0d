using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.Training.Losses.Registry;

namespace UniFace.Training.Losses;

/// <summary>
/// Which loss, and the value of each of its hyperparameters: complete (defaults filled in), checked, and in the registry's order.
/// <see cref="ToString"/> gives "uce(margin-type=cos,margin=0.4,scale=64,...)", which <see cref="Parse"/> reads back;
/// as JSON it is {"name": "uce", "hyperparameters": {"margin-type": "cos", "margin": 0.4, ...}}.
/// </summary>
[JsonConverter(typeof(LossSpecJsonConverter))]
public sealed class LossSpec : IEquatable<LossSpec>
{
    private LossSpec(string name, IReadOnlyList<KeyValuePair<string, string>> values)
    {
        Name = name;
        Values = values;
    }

    /// <summary>The loss's name in the registry.</summary>
    public string Name { get; }

    /// <summary>Every hyperparameter that applies, with its value as canonical text.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Values { get; }

    /// <summary>A loss with its defaults.</summary>
    /// <exception cref="UniFaceException">There is no loss of that name.</exception>
    public static LossSpec Of(string name) => Of(name, new Dictionary<string, string>());

    /// <summary>A loss with some hyperparameters given and defaults for the rest.</summary>
    /// <exception cref="UniFaceException">Unknown loss; a hyperparameter that it does not have; a value out of range.</exception>
    public static LossSpec Of(string name, IReadOnlyDictionary<string, string> given)
    {
        ArgumentNullException.ThrowIfNull(given);
        LossDescriptor descriptor = LossRegistry.Find(name);
        foreach (string unknown in given.Keys.Where(k => !descriptor.HyperparameterNames.Contains(k)))
        {
            throw new UniFaceException($"loss '{name}' has no hyperparameter '{unknown}'; it has {string.Join(", ", descriptor.HyperparameterNames)}.");
        }

        List<KeyValuePair<string, string>> values = [];
        string? marginType = null;
        foreach (LossHyperparameter parameter in descriptor.Hyperparameters)
        {
            if (parameter.MarginTypes.Count > 0 && !parameter.MarginTypes.Contains(marginType))
            {
                continue;
            }

            string value = parameter.Check(name, given.GetValueOrDefault(parameter.Name, parameter.Default));
            values.Add(new(parameter.Name, value));
            marginType = parameter.Name == "margin-type" ? value : marginType;
        }

        foreach (string idle in given.Keys.Where(k => !values.Exists(v => v.Key == k)))
        {
            throw new UniFaceException($"loss '{name}': {idle} has no effect with margin-type {marginType}; that takes {string.Join(", ", values.Select(v => v.Key))}.");
        }

        return new LossSpec(name, values);
    }

    /// <summary>Reads what <see cref="ToString"/> writes; hyperparameters that are left out take their defaults.</summary>
    /// <exception cref="UniFaceException">Not of the form name(key=value,...), or as <see cref="Of(string, IReadOnlyDictionary{string, string})"/>.</exception>
    public static LossSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string trimmed = text.Trim();
        int open = trimmed.IndexOf('(', StringComparison.Ordinal);
        if (open < 0)
        {
            return Of(trimmed);
        }

        Dictionary<string, string> given = [];
        if (!trimmed.EndsWith(')'))
        {
            throw new UniFaceException($"'{trimmed}' is not a loss; expected name(key=value,...), e.g. arcface(margin=0.5,scale=64).");
        }

        foreach (string part in trimmed[(open + 1)..^1].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair.Length != 2 || !given.TryAdd(pair[0], pair[1]))
            {
                throw new UniFaceException($"'{part}' in '{trimmed}' is not key=value, or its key is there twice.");
            }
        }

        return Of(trimmed[..open].Trim(), given);
    }

    /// <summary>The same loss with one hyperparameter changed.</summary>
    public LossSpec With(string name, string value) =>
        Of(Name, new Dictionary<string, string>(Values) { [name] = value });

    /// <summary>True where the hyperparameter applies.</summary>
    public bool Has(string name) => Values.Any(v => v.Key == name);

    /// <summary>A hyperparameter's text.</summary>
    /// <exception cref="KeyNotFoundException">It does not apply to this loss.</exception>
    public string Text(string name) => Has(name) ? Values.First(v => v.Key == name).Value : throw new KeyNotFoundException($"{Name} has no {name}");

    /// <summary>The options to lower if training diverges, each with its value: "--margin (now 0.4)". Empty for a loss without margin and scale.</summary>
    public IEnumerable<string> ToLower => LossRegistry.Find(Name).Hyperparameters.Where(p => p.Hardens && Has(p.Name)).Select(p => $"--{p.Name} (now {Text(p.Name)})").Distinct();

    /// <summary>A hyperparameter that is a number.</summary>
    public double Number(string name) => double.Parse(Text(name), CultureInfo.InvariantCulture);

    /// <summary>A hyperparameter that is a number, or null where it is "auto".</summary>
    public double? NumberOrAuto(string name) => Text(name) == LossHyperparameter.Auto ? null : Number(name);

    /// <summary>A hyperparameter that is true or false.</summary>
    public bool Flag(string name) => bool.Parse(Text(name));

    /// <summary>A hyperparameter that is the name of an enumeration's value, in kebab case: "straight-through".</summary>
    public T Choice<T>(string name)
        where T : struct, Enum => Enum.Parse<T>(Text(name).Replace("-", "", StringComparison.Ordinal), ignoreCase: true);

    /// <summary>"arcface(margin=0.5,scale=64,wrap=guard,gradient=chain,negative-rate=1)".</summary>
    public override string ToString() => $"{Name}({string.Join(',', Values.Select(v => v.Key + "=" + v.Value))})";

    /// <inheritdoc/>
    public bool Equals(LossSpec? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LossSpec);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);
}

/// <summary>A specification as JSON: numbers as numbers, flags as true and false, choices as text.</summary>
internal sealed class LossSpecJsonConverter : JsonConverter<LossSpec>
{
    public override LossSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            throw new JsonException("A loss is an object with a name and hyperparameters.");
        }

        Dictionary<string, string> given = [];
        if (root.TryGetProperty("hyperparameters", out JsonElement values) && values.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty value in values.EnumerateObject())
            {
                given[value.Name] = value.Value.ValueKind == JsonValueKind.String ? value.Value.GetString()! : value.Value.GetRawText();
            }
        }

        return LossSpec.Of(name.GetString()!, given);
    }

    public override void Write(Utf8JsonWriter writer, LossSpec value, JsonSerializerOptions options)
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
}
