using System.Globalization;
using System.Text.Json;

namespace UniFace.Training.Losses.Checks;

/// <summary>A case's "params" in the papers' letters (s, m, la, ...), as a specification of the registry.</summary>
/// <param name="Spec">The loss.</param>
/// <param name="Margins">Margins of the samples, where they are given.</param>
/// <param name="State">Values of buffers to begin with, by the buffer's name.</param>
internal sealed record CaseParameters(Loss Spec, IReadOnlyList<double>? Margins, IReadOnlyDictionary<string, double> State)
{
    private static readonly string[] Remarks = ["note", "biasInit"];

    /// <summary>Letters of the papers for a hyperparameter.</summary>
    private static readonly Dictionary<string, string> Letters = new()
    {
        ["s"] = "scale",
        ["gamma"] = "scale",
        ["m"] = "margin",
        ["k"] = "subcenters",
        ["lw"] = "loss-weight",
        ["lambdaG"] = "lambda-g",
        ["tAlpha"] = "t-alpha",
        ["momentum"] = "t-momentum",
    };

    /// <summary>What a margin or a scale keeps, by the file's name for its start.</summary>
    private static readonly Dictionary<string, string> Buffers = new()
    {
        ["t0"] = "margin.t",
        ["mean0"] = "margin.mean",
        ["std0"] = "margin.deviation",
        ["s0"] = "objective.scale.s",
    };

    /// <summary>Reads a case's "params".</summary>
    /// <exception cref="UniFaceException">An unknown loss or parameter, or a value out of range.</exception>
    public static CaseParameters Read(string name, CaseReader reader)
    {
        LossInfo loss = LossRegistry.Find(name);
        Dictionary<string, string> given = [];
        Dictionary<string, double> state = [];
        List<double>? margins = null;
        foreach (JsonProperty parameter in reader.Object("params"))
        {
            string key = parameter.Name;
            JsonElement value = parameter.Value;
            if (Remarks.Contains(key))
            {
                continue;
            }

            if (key == "margins")
            {
                margins = [.. value.EnumerateArray().Select(v => v.GetDouble())];
            }
            else if (Buffers.TryGetValue(key, out string? buffer))
            {
                state[buffer] = value.GetDouble();
            }
            else if (key == "margin" && value.ValueKind == JsonValueKind.String)
            {
                ReadMargin(value.GetString()!, given);
            }
            else
            {
                given[Option(name, key)] = Text(key, value);
            }
        }

        if (margins is not null && !name.StartsWith("elasticface", StringComparison.Ordinal))
        {
            throw reader.Bad($"loss '{name}' takes no params.margins");
        }

        Settle(loss, given);
        return new CaseParameters(LossRegistry.Create(name, given), margins, state);
    }

    private static string Option(string loss, string key) => key switch
    {
        "r" => loss == "sphereface2" ? "scale" : "negative-rate",
        _ => Letters.GetValueOrDefault(key, key),
    };

    private static string Text(string key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble().ToString(CultureInfo.InvariantCulture),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.String when key == "variant" => value.GetString()!.Split(' ')[0],
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    /// <summary>"arc, guard, straight-through": type, and by choice wrap and gradient.</summary>
    private static void ReadMargin(string text, Dictionary<string, string> given)
    {
        foreach (string word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string option = word switch
            {
                "guard" or "plain" or "easy" => "wrap",
                "chain" or "straight-through" => "gradient",
                _ => "margin-type",
            };
            given[option] = word;
        }
    }

    /// <summary>What the file means by leaving something out or by saying what makes no difference.</summary>
    private static void Settle(LossInfo loss, Dictionary<string, string> given)
    {
        string type = given.GetValueOrDefault("margin-type", "cos");
        bool cosine = loss.Name is "cosface" or "elasticface-cos" or "mv-am" || (loss.HyperparameterNames.Contains("margin-type") && type == "cos");
        if (cosine)
        {
            // Both gradients of a margin on the cosine are one, and it has no wrap.
            given.Remove("gradient");
            if (loss.Name != "mv-am" && given.GetValueOrDefault("wrap") is "guard" or "plain")
            {
                given.Remove("wrap");
            }
        }

        if (loss.HyperparameterNames.Contains("margin-type") && type == "sphere" && given.Remove("margin", out string? factor))
        {
            given["m1"] = factor;
        }

        if (loss.Name == "sphereface")
        {
            // A case is one step at the lambda that it gives.
            given.TryAdd("lambda-start", "0");
        }
    }
}
