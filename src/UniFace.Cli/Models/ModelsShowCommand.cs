namespace UniFace.Cli.Models;

/// <summary>`uniface models show`: the model card of a package.</summary>
internal static class ModelsShowCommand
{
    private const string Description = """
        Show a model's card: intended use, training data, results with intervals, limits. Export writes it into the package as model-card.md.
        Example: uniface models show package
        """;

    public static Command Create()
    {
        Argument<string> name = new("NAME") { Description = "A model package (folder, or name from 'uniface models list')." };
        return CliCommand.Create("show", Description, [name], (parsed, _) =>
        {
            ModelPackage package = ModelPackage.Open(parsed.GetRequiredValue(name));
            ModelManifest manifest = package.Manifest ?? throw new UniFaceException(
                $"{package.Source} is a bare .onnx file, which does not describe its training or its results; expected a package folder.");
            ModelCard card = ModelCard.Create(manifest, package.LoadCalibration(manifest));
            parsed.Print(card, () => Console.Write(card.ToMarkdown()));
        });
    }
}
