using System.Globalization;
using System.Text;
using UniFace.TestSupport;
using UniFace.Training.Losses;

namespace UniFace.Cli.Tests.Losses;

/// <summary>docs/losses.md matches the hyperparameters that the loss types declare. UNIFACE_UPDATE=1 rewrites it.</summary>
public sealed class LossDocsTests
{
    [Fact]
    public void Docs_list_every_loss_and_hyperparameter_as_declared()
    {
        string path = Path.Combine(Checkout.Root, "docs", "losses.md"), generated = Generate();
        if (Environment.GetEnvironmentVariable("UNIFACE_UPDATE") == "1")
        {
            File.WriteAllText(path, generated);
        }

        Assert.True(File.ReadAllText(path) == generated, "docs/losses.md differs from the losses; run this test with UNIFACE_UPDATE=1.");
    }

    private static string Generate()
    {
        StringBuilder page = new();
        page.Append(
            """
            # Losses

            Generated from the types in `src/UniFace.Training/Losses`; do not edit. Each hyperparameter is an option of `uniface train` (`--margin 0.4`), a
            property of the type (`new UnifiedCrossEntropy { Margin = 0.4 }`), and part of a loss written as text (`uce(margin=0.4)`). The margin lab of
            `uniface serve` draws the curves of each loss. [margin-and-scale.md](margin-and-scale.md) explains what m and s do.

            """);
        foreach (LossInfo loss in LossRegistry.All)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {loss.Name}\n\n{loss.Description}\n\nPaper: {loss.Paper}.\n\n");
            page.Append("| hyperparameter | default | range | usual | meaning |\n|---|---|---|---|---|\n");
            foreach (LossHyperparameter parameter in loss.Hyperparameters)
            {
                string types = parameter.MarginTypes.Count == 0 ? "" : $" With margin type {string.Join(", ", parameter.MarginTypes)}.";
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| `{parameter.Name}` | {parameter.Default} | {parameter.Range} | {parameter.Typical} | {parameter.Meaning}{types} |\n");
            }
        }

        return page.ToString().ReplaceLineEndings("\n");
    }
}
