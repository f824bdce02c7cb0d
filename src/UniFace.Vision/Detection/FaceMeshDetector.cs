namespace UniFace.Vision.Detection;

/// <summary>
/// The default detector. MediaPipe's full-range BlazeFace proposes faces on the whole photo; on tiles only where it finds none, or if all faces
/// are asked for. MediaPipe's landmark network looks twice at each proposal, the second time where the first saw the face: its presence says what
/// is a face, and its points are the landmarks. Proposals that end on the same face are merged. A doubtful one is also proposed again, upright and
/// mirrored: what is no face is rarely proposed twice. Thread-safe.
/// </summary>
public sealed class FaceMeshDetector : IFaceDetector
{
    private const float CandidateScore = 0.25f;
    private const int SmallestTile = 256;
    private const int MaxCandidates = 400;

    // Mean presence (a logit) of a face that needs no third look, and below which a third look changes nothing.
    private const double SurePresence = 8;
    private const double LeastPresence = -4;

    // A third look at a score of 0.5 says nothing; each 0.05 above or below counts as much as a logit of 1.
    private const double LookWeight = 20;
    private const double LookShare = 0.3;

    // The evidence that gives a score of 0.5, and the evidence per logit of the score.
    private const double EvenEvidence = 2;
    private const double EvidenceStep = 4;

    // Two meshes share at most this part of the smaller one.
    private const float MaxShared = 0.5f;

    private readonly BlazeFaceNetwork proposer;
    private readonly FaceMesh mesh;
    private readonly float minScore;

    internal FaceMeshDetector(BlazeFaceNetwork proposer, FaceMesh mesh, string name, DetectorOptions options)
    {
        this.proposer = proposer;
        this.mesh = mesh;
        minScore = options.MinScore ?? 0.5f;
        Name = name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(RgbImage photo)
    {
        ArgumentNullException.ThrowIfNull(photo);
        return Detect(new Photo(photo), FaceChoice.All);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(Photo photo, FaceChoice choice) => ToFaces(Find(photo, choice));

    /// <summary>The faces with the points of their meshes.</summary>
    internal List<MeshCandidate> Find(Photo photo, FaceChoice choice)
    {
        ArgumentNullException.ThrowIfNull(photo);
        List<BlazeFace> proposals = Propose(photo, [SearchWindow.Whole(photo.Width, photo.Height)]);
        List<MeshCandidate> faces = choice == FaceChoice.All ? [] : Confirm(photo, proposals);
        if (faces.Count > 0)
        {
            return faces;
        }

        // A face that fills the photo or is cut off by its edge is found with black around it.
        proposals.AddRange(Propose(photo, [SearchWindow.Whole(photo.Width, photo.Height, 1.6), SearchWindow.Whole(photo.Width, photo.Height, 2.5)]));
        proposals.AddRange(Propose(photo, SearchWindow.Tiles(photo.Width, photo.Height, choice == FaceChoice.All ? 3 : 2, SmallestTile)));
        return Confirm(photo, proposals);
    }

    /// <summary>Frees the models.</summary>
    public void Dispose()
    {
        proposer.Dispose();
        mesh.Dispose();
    }

    private List<BlazeFace> Propose(Photo photo, IEnumerable<SearchWindow> windows)
    {
        List<BlazeFace> proposals = [];
        foreach (SearchWindow window in windows)
        {
            IEnumerable<BlazeFace> whole = proposer.Run(photo, window.To(proposer.Size), CandidateScore)
                .Where(face => window.Holds(face, photo.Width, photo.Height) && Frame(face).IsFinite);
            proposals.AddRange(NonMaximumSuppression.Keep(whole, face => face.Box, face => face.Score, 0.3f));
        }

        return proposals;
    }

    /// <summary>The faces among proposals, the most certain first.</summary>
    private List<MeshCandidate> Confirm(Photo photo, List<BlazeFace> proposals)
    {
        List<MeshCandidate> candidates = [];
        foreach (BlazeFace proposal in NonMaximumSuppression.Keep(proposals, face => face.Box, face => face.Score, 0.5f).Take(MaxCandidates))
        {
            if (Look(photo, proposal) is MeshCandidate candidate && candidate.Score >= minScore)
            {
                candidates.Add(candidate);
            }
        }

        List<MeshCandidate> kept = [];
        foreach (MeshCandidate candidate in candidates.OrderByDescending(candidate => candidate.Score))
        {
            if (!kept.Exists(better => better.Box.Shared(candidate.Box) > MaxShared))
            {
                kept.Add(candidate);
            }
        }

        return kept;
    }

    private static List<DetectedFace> ToFaces(List<MeshCandidate> faces) =>
    [
        .. faces.Select(face => new DetectedFace(
            face.Box.X, face.Box.Y, face.Box.Width, face.Box.Height, (float)face.Score, FaceMeshLandmarks.Default.ToFive(face.Points))),
    ];

    private MeshCandidate? Look(Photo photo, BlazeFace proposal)
    {
        MeshFace first = mesh.Run(photo, Frame(proposal));
        FaceFrame frame = first.Frame();
        if (!frame.IsFinite)
        {
            return null;
        }

        MeshFace second = mesh.Run(photo, frame);
        double evidence = (first.Presence + second.Presence) / 2;
        if (!second.Frame().IsFinite || !(evidence > LeastPresence))
        {
            return null;
        }

        if (evidence < SurePresence)
        {
            evidence = Math.Min(SurePresence, evidence + (LookWeight * (ProposedAgain(photo, proposal) - 0.5)));
        }

        Point[] points = FaceMeshLandmarks.Select(second, mesh.Run(photo, frame, mirrored: true));
        return new MeshCandidate(points, second.Box(), 1 / (1 + Math.Exp((EvenEvidence - evidence) / EvidenceStep)));
    }

    /// <summary>The mean score with which the face is proposed again in an upright crop and its mirror image.</summary>
    private double ProposedAgain(Photo photo, BlazeFace proposal)
    {
        FaceFrame frame = Frame(proposal);
        double size = Math.Max(proposal.Width, proposal.Height), sum = 0;
        foreach (bool mirrored in (ReadOnlySpan<bool>)[false, true])
        {
            sum += proposer.Run(photo, frame.To(proposer.Size, LookShare), 0.05f, mirrored)
                .Where(face => Math.Abs(face.Center.X - frame.X) < 0.3 * size && Math.Abs(face.Center.Y - frame.Y) < 0.3 * size
                    && face.Width > size / 2 && face.Width < size * 2)
                .Max(face => (float?)face.Score) ?? 0;
        }

        return sum / 2;
    }

    private static FaceFrame Frame(BlazeFace face)
    {
        Point left = face.Points[0], right = face.Points[1];
        return new FaceFrame(face.Center.X, face.Center.Y, Math.Max(face.Width, face.Height), Math.Atan2(right.Y - left.Y, right.X - left.X));
    }
}

/// <summary>A proposal that is a face.</summary>
/// <param name="Points">The points of <see cref="FaceMeshLandmarks"/>.</param>
/// <param name="Box">The box around the mesh.</param>
/// <param name="Score">0 to 1.</param>
internal sealed record MeshCandidate(Point[] Points, FaceBox Box, double Score);
