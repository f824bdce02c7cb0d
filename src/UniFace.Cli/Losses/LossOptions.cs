namespace UniFace.Cli.Losses;

/// <summary>The options for the loss of `uniface train`: --loss, and each hyperparameter once, even if several losses have it.</summary>
internal static class LossOptions
{
    private const string Group = "Loss";
    private const string SharedByAll = "negative-rate";

    /// <summary>--loss NAME.</summary>
    public static CliOption<string> Loss { get; } = new(
        "--loss", "The loss. 'uniface loss list' lists all; 'uniface loss list NAME' its hyperparameters, which are options too, e.g. --margin.", "NAME")
    {
        Default = "uce",
        Group = Group,
    };

    private static readonly IReadOnlyList<Option<string?>> Hyperparameters = [.. LossRegistry.All
        .SelectMany(l => l.Hyperparameters.Select(p => (Loss: l.Name, Parameter: p)))
        .GroupBy(e => e.Parameter.Name)
        .Select(g => Create(g.Key, [.. g]))];

    /// <summary>--loss and all hyperparameters.</summary>
    public static IEnumerable<Option> All => [Loss, .. Hyperparameters];

    /// <summary>The given loss. Hyperparameters that are not given have the paper's defaults, or the values of the resumed run.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="run">The loss of the resumed run, or null.</param>
    /// <exception cref="UniFaceException">Unknown loss, an option that it does not have, or a value out of range.</exception>
    public static Loss Read(ParseResult parsed, Loss? run = null)
    {
        string name = run is not null && !parsed.IsGiven(Loss) ? run.Name : parsed.GetValue(Loss)!;
        LossInfo loss = LossRegistry.Find(name);
        Dictionary<string, string> given = run?.Name == name ? new(run.Values) : [];
        foreach (Option<string?> option in Hyperparameters)
        {
            if (!parsed.IsGiven(option))
            {
                continue;
            }

            string key = option.Name[2..];
            if (!loss.HyperparameterNames.Contains(key))
            {
                throw new UniFaceException($"--loss {name} has no {option.Name}; it has {string.Join(", ", loss.HyperparameterNames.Select(n => "--" + n))}.");
            }

            given[key] = parsed.GetValue(option) ?? "true";
        }

        try
        {
            return LossRegistry.Create(name, given);
        }
        catch (UniFaceException e) when (given.Keys.FirstOrDefault(key => e.Message.Contains($"{key} = ", StringComparison.Ordinal)) is string key)
        {
            throw new UniFaceException($"--{key}: {e.Message}", e);
        }
    }

    private static Option<string?> Create(string name, (string Loss, LossHyperparameter Parameter)[] entries)
    {
        IEnumerable<string> losses = entries
            .GroupBy(e => e.Parameter.Default)
            .Select(g => $"{g.Key} for {Losses([.. g.Select(e => e.Loss + MarginTypes(e.Parameter))])}");
        HyperparameterKind kind = entries[0].Parameter.Kind;
        bool flag = kind == HyperparameterKind.Flag;
        string meaning = string.Join(" / ", entries.Select(e => e.Parameter.Meaning.TrimEnd('.')).Distinct());
        string values = flag ? "true|false"
            : kind == HyperparameterKind.Choice ? string.Join('|', entries[0].Parameter.Choices)
            : kind == HyperparameterKind.Whole ? "N" : "X";
        CliOption<string?> option = new("--" + name, $"{meaning}. Default: {string.Join("; ", losses)}.", values)
        {
            Arity = flag ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            Group = Group,
            Listed = name == SharedByAll,
        };
        if (name == SharedByAll)
        {
            option.Aliases.Add("--sample-rate"); // The name in Partial FC.
        }

        return option;
    }

    private static string MarginTypes(LossHyperparameter parameter) =>
        parameter.MarginTypes.Count > 0 ? $" ({string.Join("/", parameter.MarginTypes)})" : "";

    private static string Losses(string[] names)
    {
        string[] distinct = [.. names.Distinct()];
        return distinct.Length == LossRegistry.All.Count ? "all losses" : string.Join(", ", distinct);
    }
}
