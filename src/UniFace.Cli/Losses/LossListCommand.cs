namespace UniFace.Cli.Losses;

/// <summary>`uniface loss list`: lists the losses with their hyperparameters.</summary>
internal static class LossListCommand
{
    public static Command Create()
    {
        const string Description = """
            List the losses with their hyperparameters, defaults, ranges and papers.
            Example: uniface loss list arcface
            """;
        Argument<string?> name = new("NAME") { Description = "Show only this loss, with its hyperparameters.", Arity = ArgumentArity.ZeroOrOne };
        return CliCommand.Create("list", Description, [name], (parsed, _) =>
        {
            if (parsed.GetValue(name) is string one)
            {
                LossInfo loss = LossRegistry.Find(one);
                parsed.Print(Describe(loss), () => Show(loss));
            }
            else
            {
                parsed.Print(new { Losses = LossRegistry.All.Select(Describe) }, ShowAll);
            }
        });
    }

    private static void ShowAll()
    {
        Output.Table(
            ["loss", "what it does", "paper", "hyperparameters"],
            LossRegistry.All.Select(loss => (object[])[loss.Name, loss.Description, loss.Paper, string.Join(", ", loss.HyperparameterNames)]));
        Console.WriteLine("uniface loss list NAME shows defaults and ranges.");
    }

    private static void Show(LossInfo loss)
    {
        Console.WriteLine($"{loss.Name}: {loss.Description}");
        Console.WriteLine(loss.Paper);
        Output.Table(["option", "default", "range", "meaning"], loss.Hyperparameters.Select(parameter => (object[])
        [
            "--" + parameter.Name,
            parameter.Default,
            parameter.Range,
            parameter.Meaning + (parameter.MarginTypes.Count > 0 ? $" (with --margin-type {string.Join(", ", parameter.MarginTypes)})" : ""),
        ]));
    }

    private static object Describe(LossInfo loss) => new
    {
        loss.Name,
        loss.Description,
        loss.Paper,
        loss.MinimumClasses,
        Hyperparameters = loss.Hyperparameters.Select(p => new
        {
            p.Name,
            p.Kind,
            p.Default,
            p.Range,
            Usual = p.Typical.Length > 0 ? p.Typical : p.Default,
            p.Meaning,
            p.MarginTypes,
        }),
    };
}
