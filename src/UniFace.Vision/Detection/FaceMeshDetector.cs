namespace UniFace.Vision.Detection;

/// <summary>
/// The default detector. A BlazeFace network proposes faces on the whole photo, and MediaPipe's landmark network looks twice at each proposal,
/// the second time mirrored, where the first saw the face, and again until the eyes are level: its presence says what is a face, and its points
/// are the landmarks. A doubtful proposal must also be made again in an upright crop and its mirror image: what is no face is rarely proposed
/// twice. If no face is certain, the photo is searched in its four quarter turns; if there is none, or all faces are asked for, also in tiles.
/// Proposals that end on the same face are merged. Thread-safe.
/// </summary>
internal sealed class FaceMeshDetector : IFaceDetector
{
    private const float CandidateScore = 0.25f;
    private const int MinTileSide = 256;
    private const int MaxCandidates = 400;

    // Proposals that overlap more are of the same face; across windows, the boxes of one face differ more.
    private const float MaxOverlapInWindow = 0.3f;
    private const float MaxOverlap = 0.5f;

    // A face of this score is upright: the photo need not be turned.
    private const double ConfidentScore = 0.9;

    // Mean presence (a logit) of a face that needs no third look, and below which a third look changes nothing.
    private const double SurePresence = 8;
    private const double LeastPresence = -4;

    // A third look at a score of 0.5 says nothing; each 0.05 above or below counts as much as a logit of 1.
    private const double LookWeight = 20;
    private const double LookShare = 0.3;

    // The evidence that gives a score of 0.5, and the evidence per logit of the score.
    private const double EvenEvidence = 2;
    private const double EvidenceStep = 4;

    // Looks at a tilted crop are repeated, at most so many times, while they turn the face by more than 6 degrees.
    private const int MaxLevelling = 4;
    private const double MaxTilt = 0.1;

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
    public bool FindsTurnedFaces => true;

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(RgbImage photo) => Detect(new Photo(photo), FaceChoice.All);

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(Photo photo, FaceChoice choice) =>
    [
        .. Find(photo, choice).Select(face => new DetectedFace(
            face.Box.X, face.Box.Y, face.Box.Width, face.Box.Height, (float)face.Score, FaceMeshLandmarks.Default.ToFive(face.Points))
        {
            TurnedBy = 90 * face.Turn,
        }),
    ];

    /// <summary>Runs both networks on a black image.</summary>
    internal void RunOnce()
    {
        const int side = 256;
        Photo black = new(new RgbImage(side, side));
        _ = proposer.Run(black, new SearchWindow(side / 2, side / 2, side).To(proposer.Size, 0), CandidateScore);
        _ = mesh.Run(black, new FaceFrame(side / 2, side / 2, side / 2, 0));
    }

    /// <summary>The faces with the points of their meshes, the most certain first.</summary>
    internal List<MeshCandidate> Find(Photo photo, FaceChoice choice)
    {
        ArgumentNullException.ThrowIfNull(photo);
        SearchWindow whole = SearchWindow.Whole(photo.Width, photo.Height);
        Search search = new(this, photo);
        search.Add([whole], turn: 0);
        if (choice == FaceChoice.All)
        {
            search.Add(Parts(levels: 3), turn: 0);
        }

        if (!(search.Faces is [{ Score: >= ConfidentScore }, ..]))
        {
            for (int turn = 1; turn < 4; turn++)
            {
                search.Add([whole], turn);
            }
        }

        int upright = search.Faces is [MeshCandidate best, ..] ? best.Turn : 0;
        if (choice == FaceChoice.All ? upright > 0 : search.Faces.Count == 0)
        {
            search.Add(Parts(levels: choice == FaceChoice.All ? 3 : 2), upright);
        }

        return search.Faces;

        // A face that fills the photo or is cut off by its edge is found with black around it, and small ones in tiles.
        IEnumerable<SearchWindow> Parts(int levels) => SearchWindow.Tiles(photo.Width, photo.Height, levels, MinTileSide)
            .Prepend(SearchWindow.Whole(photo.Width, photo.Height, 2.5)).Prepend(SearchWindow.Whole(photo.Width, photo.Height, 1.6));
    }

    /// <summary>Frees the models.</summary>
    public void Dispose()
    {
        proposer.Dispose();
        mesh.Dispose();
    }

    private List<BlazeFace> Propose(Photo photo, SearchWindow window, int turn)
    {
        IEnumerable<BlazeFace> proposals = proposer.Run(photo, window.To(proposer.Size, turn * Math.PI / 2), CandidateScore)
            .Where(face => window.Contains(face, photo.Width, photo.Height) && Frame(face).IsFinite);
        return NonMaximumSuppression.Select(proposals, face => face.Box, face => face.Score, MaxOverlapInWindow);
    }

    private MeshCandidate? Look(Photo photo, BlazeFace proposal)
    {
        MeshFace first = mesh.Run(photo, Frame(proposal));
        FaceFrame frame = first.Frame();
        if (!frame.IsFinite)
        {
            return null;
        }

        MeshFace second = mesh.Run(photo, frame, mirrored: true);
        double evidence = (first.Presence + second.Presence) / 2;
        if (!second.Frame().IsFinite || !(evidence > LeastPresence))
        {
            return null;
        }

        if (evidence < SurePresence)
        {
            evidence = (first.Presence + mesh.Run(photo, frame).Presence) / 2; // The evidence is scaled for plain looks.
            evidence = Math.Min(SurePresence, evidence + (LookWeight * (ProposedAgain(photo, proposal) - 0.5)));
        }

        double score = 1 / (1 + Math.Exp((EvenEvidence - evidence) / EvidenceStep));
        if (score < minScore)
        {
            return null;
        }

        (first, second) = Level(photo, first, second);
        return new MeshCandidate(FaceMeshLandmarks.Select(first, second), second.Box(), score, first.Turn);
    }

    /// <summary>Looks again until the eyes are level in the crop: the proposal of a turned face is up to 50 degrees off, a look up to half of that.</summary>
    private (MeshFace First, MeshFace Second) Level(Photo photo, MeshFace first, MeshFace second)
    {
        for (int looks = 0; looks < MaxLevelling && Math.Abs(Math.IEEERemainder(second.Angle - first.Angle, Math.PI)) > MaxTilt; looks++)
        {
            MeshFace next = mesh.Run(photo, second.Frame(mirrored: true));
            if (!next.Frame().IsFinite || mesh.Run(photo, next.Frame(), mirrored: true) is not MeshFace again || !again.Frame().IsFinite)
            {
                break;
            }

            (first, second) = (next, again);
        }

        return (first, second);
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

    /// <summary>The faces that the windows added so far have shown.</summary>
    private sealed class Search(FaceMeshDetector detector, Photo photo)
    {
        private readonly List<(int Turn, BlazeFace Proposal)> seen = [];

        /// <summary>The faces, the most certain first; of two that share most of their area, the more certain one.</summary>
        public List<MeshCandidate> Faces { get; private set; } = [];

        public void Add(IEnumerable<SearchWindow> windows, int turn)
        {
            List<MeshCandidate> found = [.. Faces];
            foreach (BlazeFace proposal in windows.SelectMany(window => detector.Propose(photo, window, turn)).OrderByDescending(face => face.Score))
            {
                bool known = seen.Exists(old => old.Turn == turn && old.Proposal.Box.Overlap(proposal.Box) > MaxOverlap);
                if (!known && seen.Count < MaxCandidates)
                {
                    seen.Add((turn, proposal));
                    if (detector.Look(photo, proposal) is MeshCandidate face)
                    {
                        found.Add(face);
                    }
                }
            }

            Faces = [];
            foreach (MeshCandidate face in found.OrderByDescending(face => face.Score))
            {
                if (!Faces.Exists(better => better.Box.Shared(face.Box) > MaxShared))
                {
                    Faces.Add(face);
                }
            }
        }
    }
}

/// <summary>A proposal that is a face.</summary>
/// <param name="Points">The points of <see cref="FaceMeshLandmarks"/>.</param>
/// <param name="Box">The box around the mesh.</param>
/// <param name="Score">0 to 1.</param>
/// <param name="Turn">The clockwise quarter turns of the photo after which the face is upright.</param>
internal sealed record MeshCandidate(Point[] Points, FaceBox Box, double Score, int Turn);
