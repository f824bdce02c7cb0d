using Microsoft.AspNetCore.Mvc;
using UniFace.AspNetCore.OpenApi;
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
        DateTime time = new(2026, 11, 24, 15, 0, 0, DateTimeKind.Utc);
        RunSummary example = new(
            "uce-iresnet18", RunState.Running, null, "uce(margin=0.3)", "iresnet18", "faces", 8000, 400_000, 100,
            time, time.AddHours(1), 2, 20, 6250, 62_500, 3.2, 0.91);
        RouteGroupBuilder runs = v1.MapGroup("/runs").WithTags("runs").WithParameterExample("run", example.Name);
        runs.MapGet("", List).WithName("runs").WithSummary("List the training runs")
            .WithExamples(null, new RunList("runs", [example]));
        runs.MapGet("/{run}", Get).WithName("run").WithSummary("Get a run with its metrics, all rows or those since a cursor, and its notes")
            .WithExamples(null, new RunAnswer(
                example,
                [JsonSerializer.SerializeToElement(new { kind = "step", step = 6250, epoch = 2, loss = 3.2 })],
                Whole: true,
                "4096",
                [new RunNote(time, 0, 0, RunEvent.Started, "from the start")]));
        runs.MapGet("/{run}/map", MapAsync).WithName("runMap")
            .WithSummary("Draw the embeddings of a run's checkpoint in two dimensions: method=pca or method=tsne").DisableRequestTimeout()
            .WithExamples(null, new EmbeddingMapAnswer(MapMethod.Pca, Unseen: true, 2, 0.41, null, 0.93, time, [new(0, 0.4, -0.1), new(1, -0.5, 0.2)]));
        runs.MapPost("/{run}/resume", Resume).WithName("resumeRun").WithSummary("Resume a run, in this service")
            .WithExamples(null, example, Status202Accepted);
        runs.MapPost("/{run}/stop", StopAsync).WithName("stopRun").WithSummary("Save and stop a run that trains in this service").DisableRequestTimeout()
            .WithExamples(null, example with { State = RunState.Stopped });
    }

    private static Ok<RunList> List(RunCatalog catalog, RunWorker worker) =>
        TypedResults.Ok(new RunList(catalog.Root, [.. catalog.Folders().Select(f => Summary(f, catalog, worker))]));

    private static Ok<RunAnswer> Get(string run, RunCatalog catalog, RunWorker worker, [FromQuery] string? after = null)
    {
        string folder = Find(catalog, run);
        return TypedResults.Ok(catalog.Read(folder, worker.IsTraining(folder), worker.FailureOf(folder), after));
    }

    private static async Task<Ok<EmbeddingMapAnswer>> MapAsync(
        string run, RunCatalog catalog, EmbeddingMaps maps, CancellationToken stop, [FromQuery] string method = "pca")
    {
        MapMethod chosen = method switch
        {
            "pca" => MapMethod.Pca,
            "tsne" => MapMethod.Tsne,
            _ => throw new UniFaceException($"method = {method}: expected pca or tsne."),
        };
        return TypedResults.Ok(await maps.DrawAsync(Find(catalog, run), chosen, stop));
    }

    private static Accepted<RunSummary> Resume(string run, RunCatalog catalog, RunWorker worker)
    {
        string folder = Find(catalog, run);
        RunSummary now = Summary(folder, catalog, worker);
        if (now.State is RunState.Finished or RunState.RunningElsewhere)
        {
            throw new RefusedException(
                Refusal.Conflict,
                now.State == RunState.Finished
                    ? "this run has trained all its epochs; start a new one with 'uniface train'"
                    : "another process trains this run; two would overwrite each other's checkpoints");
        }

        worker.Resume(folder);
        return TypedResults.Accepted((string?)null, Summary(folder, catalog, worker));
    }

    private static async Task<Ok<RunSummary>> StopAsync(string run, RunCatalog catalog, RunWorker worker)
    {
        string folder = worker.Find(run) ?? Find(catalog, run);
        await worker.StopAsync(folder);
        return TypedResults.Ok(Summary(folder, catalog, worker));
    }

    private static RunSummary Summary(string folder, RunCatalog catalog, RunWorker worker) =>
        catalog.Summarise(folder, worker.IsTraining(folder), worker.FailureOf(folder));

    private static string Find(RunCatalog catalog, string run) =>
        catalog.Find(run) ?? throw new BadHttpRequestException($"there is no run of this name in {catalog.Root}", Status404NotFound);
}
