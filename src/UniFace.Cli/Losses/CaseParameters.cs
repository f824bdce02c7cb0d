namespace UniFace.Cli.Losses;

/// <summary>The "params" of a case, in the letters of the papers (s, m, la, ...), as a loss of the registry.</summary>
/// <param name="Loss">The loss.</param>
/// <param name="Margins">The margin of each sample, or null.</param>
/// <param name="State">Initial values of buffers, by name.</param>
internal sealed record CaseParameters(Loss Loss, IReadOnlyList<double>? Margins, IReadOnlyDictionary<string, double> State)
{
    private static readonly string[] Remarks = ["note", "biasInit"];

    /// <summary>Hyperparameters by the letters of the papers.</summary>
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

    /// <summary>Buffers by the file's name for their initial value.</summary>
    private static readonly Dictionary<string, string> Buffers = new()
    {
        ["t0"] = "margin.t",
        ["mean0"] = "margin.mean",
        ["std0"] = "margin.deviation",
        ["s0"] = "objective.s",
    };

    /// <summary>Reads a case's "params".</summary>
    /// <exception cref="UniFaceException">An unknown loss or parameter, or a value out of range.</exception>
    /// <exception cref="InvalidOperationException">A value is not of the expected type.</exception>
    public static CaseParameters Read(string name, IReadOnlyDictionary<string, JsonElement> parameters)
    {
        LossInfo loss = LossRegistry.Find(name);
        Dictionary<string, string> given = [];
        Dictionary<string, double> state = [];
        List<double>? margins = null;
        foreach ((string key, JsonElement value) in parameters.Where(parameter => !Remarks.Contains(parameter.Key)))
        {
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

        Normalize(loss, given);
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
        JsonValueKind.String when key == "variant" => value.GetString()!.Split(' ')[0],
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    /// <summary>"arc, guard, straight-through": the type, optionally followed by wrap and gradient.</summary>
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

    /// <summary>Applies the conventions of the file: implied values, and values that have no effect.</summary>
    private static void Normalize(LossInfo loss, Dictionary<string, string> given)
    {
        string type = given.GetValueOrDefault("margin-type", "cos");
        bool typed = loss.HyperparameterNames.Contains("margin-type");
        if (loss.Name is "cosface" or "elasticface-cos" or "mv-am" || (typed && type == "cos"))
        {
            // For a margin on the cosine both gradients are the same, and there is no wrap.
            given.Remove("gradient");
            if (loss.Name != "mv-am" && given.GetValueOrDefault("wrap") is "guard" or "plain")
            {
                given.Remove("wrap");
            }
        }

        if (typed && type == "sphere" && given.Remove("margin", out string? factor))
        {
            given["m1"] = factor;
        }

        if (loss.Name == "sphereface")
        {
            // A case is one step with the given lambda.
            given.TryAdd("lambda-start", "0");
        }
    }
}
