using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace UniFace.Server.Lab;

/// <summary>
/// Lessons under way: one a client, whose newer lesson ends its older one, and a few in all. A lesson ends when its client goes away.
/// </summary>
internal sealed class LabSessions : IDisposable
{
    private const int Most = 4;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly SemaphoreSlim places = new(Most);
    private readonly Dictionary<string, CancellationTokenSource> clients = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Lessons under way.</summary>
    public int Running => Most - places.CurrentCount;

    /// <summary>Frames of a lesson, the state before its first step first.</summary>
    /// <param name="lesson">What is learned.</param>
    /// <param name="client">Whose lesson it is.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="BadHttpRequestException">There are too many lessons under way.</exception>
    public async IAsyncEnumerable<LabFrame> Run(Lesson lesson, string client, [EnumeratorCancellation] CancellationToken stop)
    {
        using CancellationTokenSource own = CancellationTokenSource.CreateLinkedTokenSource(stop);
        TakeOver(client, own);
        try
        {
            if (!await places.WaitAsync(Patience, stop))
            {
                throw new BadHttpRequestException($"{Most} lessons are being trained for others; try again in a few seconds.", StatusCodes.Status503ServiceUnavailable);
            }

            try
            {
                await foreach (LabFrame frame in Frames(lesson, own.Token))
                {
                    yield return frame;
                }
            }
            finally
            {
                places.Release();
            }
        }
        finally
        {
            GiveUp(client, own);
        }
    }

    public void Dispose() => places.Dispose();

    private static async IAsyncEnumerable<LabFrame> Frames(Lesson lesson, [EnumeratorCancellation] CancellationToken stop)
    {
        List<EmbeddingTrainer> trainers = [];
        try
        {
            trainers.AddRange(lesson.Losses.Select(loss => new EmbeddingTrainer(loss, lesson.Dimensions, lesson.Steps, lesson.Seed)));
            while (!stop.IsCancellationRequested)
            {
                int step = trainers[0].Step;
                yield return new LabFrame(step, lesson.Steps, TenClasses.Labels, [.. trainers.Select(t => t.Look())]);
                if (step == lesson.Steps)
                {
                    yield break;
                }

                Task pace = Task.Delay(Pace, CancellationToken.None);
                await Task.Run(() => Train(trainers, Math.Min(lesson.Steps, step + lesson.Every), stop), CancellationToken.None);
                await pace;
            }
        }
        finally
        {
            trainers.ForEach(t => t.Dispose());
        }
    }

    private static void Train(List<EmbeddingTrainer> trainers, int until, CancellationToken stop)
    {
        foreach (EmbeddingTrainer trainer in trainers)
        {
            while (trainer.Step < until && !stop.IsCancellationRequested)
            {
                trainer.Train();
            }
        }
    }

    private void TakeOver(string client, CancellationTokenSource own)
    {
        lock (gate)
        {
            if (clients.TryGetValue(client, out CancellationTokenSource? older))
            {
                older.Cancel();
            }

            clients[client] = own;
        }
    }

    private void GiveUp(string client, CancellationTokenSource own)
    {
        lock (gate)
        {
            if (clients.TryGetValue(client, out CancellationTokenSource? now) && now == own)
            {
                clients.Remove(client);
            }
        }
    }
}
