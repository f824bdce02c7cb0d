using Microsoft.AspNetCore.Mvc;
using UniFace.Studio.Maps;
using UniFace.Studio.Runs;

namespace UniFace.Studio.Endpoints;

/// <summary>/v1/runs: training runs with their metrics; resuming and stopping them.</summary>
internal static class RunEndpoints
{
    /// <summary>All runs.</summary>
    /// <param name="Folder">The folder that is searched.</param>
    /// <param name="Runs">By name.</param>
    internal sealed record RunList(string Folder, IReadOnlyList<RunSummary> Runs);

    public static void Map(IEndpointRouteBuilder v1)
    {
        RouteGroupBuilder runs = v1.MapGroup("/runs").WithTags("runs");
        runs.MapGet("", List).WithName("runs");
        runs.MapGet("/{run}", Get).WithName("run");
        runs.MapGet("/{run}/map", MapAsync).WithName("runMap").DisableRequestTimeout();
        runs.MapPost("/{run}/resume", Resume).WithName("resumeRun");
        runs.MapPost("/{run}/stop", StopAsync).WithName("stopRun").DisableRequestTimeout();
    }

    /// <summary>List the training runs</summary>
    internal static RunList List(RunCatalog catalog) => new(catalog.Root, [.. catalog.Folders().Select(catalog.Summarise)]);

    /// <summary>Get a run with its metrics, all rows or those since a cursor, and its notes</summary>
    /// <param name="run" example="uce-iresnet18">Name of the run.</param>
    /// <param name="after">Cursor of an earlier answer.</param>
    internal static RunAnswer Get(string run, RunCatalog catalog, [FromQuery] string? after = null) => catalog.Read(Find(catalog, run), after);

    /// <summary>Draw the embeddings of a run's checkpoint in two dimensions</summary>
    /// <param name="run" example="uce-iresnet18">Name of the run.</param>
    /// <param name="method">The projection: pca or tsne.</param>
    internal static async Task<EmbeddingMapAnswer> MapAsync(
        string run, RunCatalog catalog, EmbeddingMaps maps, CancellationToken stop, [FromQuery] string method = "pca")
    {
        MapMethod chosen = method switch
        {
            "pca" => MapMethod.Pca,
            "tsne" => MapMethod.Tsne,
            _ => throw new UniFaceException($"method = {method}: expected pca or tsne."),
        };
        return await maps.DrawAsync(Find(catalog, run), chosen, stop);
    }

    /// <summary>Resume a run, in this service</summary>
    /// <param name="run" example="uce-iresnet18">Name of the run.</param>
    internal static Accepted<RunSummary> Resume(string run, RunCatalog catalog, RunWorker worker)
    {
        string folder = Find(catalog, run);
        RunSummary now = catalog.Summarise(folder);
        if (now.State is RunState.Finished or RunState.RunningElsewhere)
        {
            throw new RefusedException(
                Refusal.Conflict,
                now.State == RunState.Finished
                    ? "this run has trained all its epochs; start a new one with 'uniface train'"
                    : "another process trains this run; two would overwrite each other's checkpoints");
        }

        worker.Resume(folder);
        return TypedResults.Accepted((string?)null, catalog.Summarise(folder));
    }

    /// <summary>Save and stop a run that trains in this service</summary>
    /// <param name="run" example="uce-iresnet18">Name of the run.</param>
    internal static async Task<RunSummary> StopAsync(string run, RunCatalog catalog, RunWorker worker)
    {
        string folder = worker.Find(run) ?? Find(catalog, run);
        await worker.StopAsync(folder);
        return catalog.Summarise(folder);
    }

    private static string Find(RunCatalog catalog, string run) =>
        catalog.Find(run) ?? throw new BadHttpRequestException($"there is no run of this name in {catalog.Root}", Status404NotFound);
}
