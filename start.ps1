# The entry point of the workshop on Windows: the same verbs as start.sh, in Docker Desktop's container.
# All verbs: .\start.ps1 --help. If Windows refuses to run it, type this first:
#   Set-ExecutionPolicy -Scope Process Bypass
#
# Written for PowerShell 5.1, which every Windows has. Inside the container start.sh does the work.
$ErrorActionPreference = 'Stop'

$Root = $PSScriptRoot
$State = Join-Path $Root '.workshop'
$Inside = '/workshop'
$Verbs = 'shell', 'demo', 'play', 'live', 'osc', 'freeze', 'player', 'sweep', 'test', 'run', 'lab', 'docs', 'doctor', 'logs', 'trainings', 'class', 'stop', 'down', 'build', 'save', 'load'
# Each server's port and title by its name, written from the lessons' records.
$Servers, $Titles = [ordered]@{}, @{}
foreach ($line in Get-Content -LiteralPath (Join-Path $PSScriptRoot 'docker/servers.txt')) {
  $name, $port, $title = $line -split ' ', 3
  $Servers[$name.ToUpper()], $Titles[$name.ToUpper()] = [int] $port, $title
}
# Where networks are asked by OSC in the container, and where clients on this computer hear the answers; both by UDP.
$OscPort = 10102
$AnswerTo = 10101
# Variables that mean the same inside, as docker/host.sh passes them; a folder of Windows does not.
$Passed = '^(TERM|NO_COLOR|WORKSHOP_DEMO_SMOKE|CUDA_VISIBLE_DEVICES|XLA_FLAGS|OMP_NUM_THREADS|(TF|KERAS)_[A-Z0-9_]+)$'
$HealthSeconds = 120
$GraceSeconds = 30

function Say([string] $Text) { [Console]::Error.WriteLine($Text) }
function Fail([string] $Text) { Say $Text; exit 1 }
function Misused([string] $Text) { Say $Text; exit 2 }

function Show-Help {
  @'
usage: .\start.ps1 [--gpu] [--root] [VERB]

The first use builds the container (some minutes, about 4 GB); after that it starts at once. It needs Docker Desktop.

  .\start.ps1               a shell in the container, with all servers running
  .\start.ps1 demo          let networks that come trained write and play, let one learn from the starter songs for a
                           minute, and say where to look
  .\start.ps1 play          the address of the page on which trained networks are played
  .\start.ps1 live NAME     let up to three trained networks, by name or folder, hear a microphone and answer, live, on a
                           page in the browser until Ctrl-C; with --help behind it, what else there is
  .\start.ps1 osc NAME      let other programs ask a trained network for music by Open Sound Control, until Ctrl-C
  .\start.ps1 freeze NAME   make an application of a trained network; not by this script, docs/application.md says how
  .\start.ps1 player NAME   play exported networks without TensorFlow; not by this script, docs/player.md says how
  .\start.ps1 sweep PLAN    train a lesson many times by Ray; not by this script, docs/sweeps.md says how
  .\start.ps1 test          run the tests; what follows is passed to pytest
  .\start.ps1 run COMMAND   run one command in the container, from the folder you are in
  .\start.ps1 lab           the address of JupyterLab
  .\start.ps1 docs          the address of the tutorial in a browser
  .\start.ps1 doctor        check the container, and say in plain words what is wrong and what to do
  .\start.ps1 logs          the last log lines of all servers
  .\start.ps1 trainings     show the running trainings; 'trainings stop NAME' lets one save and end
  .\start.ps1 class         a class on one server; Linux alone has it
  .\start.ps1 stop          stop the container; a training in it saves first

  .\start.ps1 down          stop and remove the container; nothing is lost: all that you make is in this folder
  .\start.ps1 build         build the container's image now; otherwise it is built when it is needed
  .\start.ps1 save FILE     write the image to a file (.tar), for computers without a network
  .\start.ps1 load FILE     load the image from such a file (.tar or .tar.gz)

  --gpu      with an NVIDIA card
  --root     a shell, or run, as root in the container
  --help     this page

Without Docker the workshop runs in WSL: type 'wsl --install' once, and ./start.sh there.
'@
}

# ---- the engine and this folder's container ------------------------------------------------------

# Windows PowerShell turns standard error output of a program into errors, so it is discarded here.
function Test-Docker([string[]] $Words) {
  $ErrorActionPreference = 'Continue'
  & docker @Words 2>&1 | Out-Null
  return $LASTEXITCODE -eq 0
}

function Get-FromDocker([string[]] $Words) {
  $ErrorActionPreference = 'Continue'
  $said = & docker @Words 2>$null
  return ($said | Out-String).Trim()
}

function Assert-Engine {
  if (-not (Get-Command docker -ErrorAction SilentlyContinue)) {
    Fail ("The workshop needs Docker Desktop, which is not installed: install it, " +
      "or type 'wsl --install' once and ./start.sh there.")
  }
  if (-not (Test-Docker 'info')) {
    Fail ('Docker is installed, but its engine does not run: start Docker Desktop, ' +
      'wait until it says that it runs, and try again.')
  }
}

function Get-Checksum([string] $Text) {
  $sha = [Security.Cryptography.SHA256]::Create()
  $bytes = $sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($Text))
  return ([BitConverter]::ToString($bytes) -replace '-', '').Substring(0, 12).ToLower()
}

# What the image is made of, as docker/host.sh computes it too: the two may share an image.
function Get-Recipe([string] $Kind) {
  $texts = Get-Content -LiteralPath (Join-Path $Root 'docker/recipe.txt') | ForEach-Object {
    [IO.File]::ReadAllText((Join-Path $Root ($_ -replace 'KIND', $Kind))) -replace "`r", ''
  }
  return Get-Checksum ($texts -join '')
}

function Read-Port([string] $Variable, [int] $Usual) {
  $given = [Environment]::GetEnvironmentVariable($Variable)
  if (-not $given) { return $Usual }
  if ($given -notmatch '^\d{1,5}$' -or [int] $given -lt 1 -or [int] $given -gt 65535) {
    Misused "$Variable is '$given', which is not a port: give a number from 1 to 65535."
  }
  return [int] $given
}

function Get-Port([string] $Server) { return Read-Port "WORKSHOP_PORT_$Server" $Servers[$Server] }

# Two copies of the workshop have two containers: the project is named by the folder.
function Initialize-Settings {
  $kind = if ($script:Gpu) { 'gpu' } else { 'cpu' }
  $script:Service = if ($script:Gpu) { 'workshop-gpu' } else { 'workshop' }
  $script:Image = "ml4music-workshop:$kind"
  $ports = ($Servers.Keys | ForEach-Object { Get-Port $_ }) -join ' '
  Read-Port 'WORKSHOP_PORT_OSC' $OscPort | Out-Null
  $env:COMPOSE_PROJECT_NAME = 'ml4music-' + (Get-Checksum $Root.ToLower())
  $env:COMPOSE_PROFILES = if ($script:Gpu) { 'gpu' } else { '' }
  $env:DOCKER_BUILDKIT = '1'
  $env:WORKSHOP_RECIPE = Get-Recipe $kind
  $env:WORKSHOP_SETTINGS = Get-Checksum "$ports $env:WORKSHOP_PORT_OSC $env:WORKSHOP_BIND $env:WORKSHOP_MEMORY $env:WORKSHOP_RECIPE"
}

function Get-Container([string[]] $Filters) {
  $words = @('ps', '-a', '-q', '--filter', "label=com.docker.compose.project=$env:COMPOSE_PROJECT_NAME")
  foreach ($filter in $Filters) { $words += '--filter', $filter }
  return (Get-FromDocker $words) -split '\s+' | Where-Object { $_ } | Select-Object -First 1
}

function Get-Label([string] $Thing, [string] $Name) {
  # Go's other quotes, because PowerShells differ in how they hand on double ones.
  $template = '{{index .Config.Labels `' + $Name + '`}}'
  return Get-FromDocker 'inspect', '--format', $template, $Thing
}

# ---- bringing it up ------------------------------------------------------------------------------

function Build-Image {
  Push-Location -LiteralPath $Root
  docker compose build $script:Service | Out-Host
  $status = $LASTEXITCODE
  Pop-Location
  return $status -eq 0
}

function Assert-Image {
  $there = Test-Docker 'image', 'inspect', $script:Image
  if ($there -and (Get-Label $script:Image 'ml4music.recipe') -eq $env:WORKSHOP_RECIPE) { return }
  Say "Building the image $($script:Image): some minutes the first time, and about 4 GB of disk ..."
  if (Build-Image) { return }
  if ($there) { Say 'The older image is used meanwhile.'; return }
  Fail ("Building the image failed: the lines above say why. Without a network, " +
    "carry it here from another computer ('save FILE' there, 'load FILE' here).")
}

function Assert-Gpu {
  if (-not (Get-Command nvidia-smi -ErrorAction SilentlyContinue)) {
    Misused ("--gpu needs an NVIDIA card with its driver, and 'nvidia-smi' is not here: " +
      'install the driver, or leave out --gpu.')
  }
}

# Before an image is built, which takes minutes. A container of this folder that runs has its ports itself.
function Assert-Ports {
  if (Get-Container 'label=ml4music.workshop', 'status=running') { return }
  $taken = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpListeners().Port
  foreach ($server in $Servers.Keys) {
    $port = Get-Port $server
    if ($taken -contains $port) {
      Fail ("Port $port is in use by another program: stop that, or choose another port, " +
        "for example `$env:WORKSHOP_PORT_$server = $($port + 100).")
    }
  }
}

# A running container with NVIDIA's libraries is used without --gpu as well: replacing it would end trainings.
function Start-Workshop {
  if (-not $script:Gpu -and (Get-Container 'label=ml4music.workshop=workshop-gpu', 'status=running')) {
    Say "The container with the GPU runs and is used; after '.\start.ps1 down' the one without comes again."
    $script:Gpu = $true
    Initialize-Settings
  }
  if ($script:Gpu) { Assert-Gpu }
  $running = Get-Container "label=ml4music.workshop=$($script:Service)", 'status=running'
  $fits = $running -and (Get-Label $running 'ml4music.settings') -eq $env:WORKSHOP_SETTINGS
  # Variables of one terminal are not those of another, which may be training.
  if ($running -and -not $fits -and (Test-Docker 'exec', $running, 'pgrep', '-f', 'train[.]py')) {
    Say ("A training runs in the container, which stays as it is, though its settings or packages have changed: " +
      "'.\start.ps1 down' and a new start take them over.")
    $fits = $true
  }
  if (-not $fits) {
    Assert-Ports
    Assert-Image
    $there = Get-Container 'label=ml4music.workshop'
    if ($there -and (Get-Label $there 'ml4music.workshop') -ne $script:Service) {
      Say 'The container of the other kind is ended, after what trains in it has saved; nothing is lost ...'
      Test-Docker 'stop', '-t', "$GraceSeconds", $there | Out-Null
      Test-Docker 'rm', '-f', $there | Out-Null
    }
    Push-Location -LiteralPath $Root
    docker compose up -d --no-build $script:Service | Out-Host
    $status = $LASTEXITCODE
    Pop-Location
    if ($status -ne 0) {
      Fail ('The container does not start: the lines above say why. A port that is in use can be changed, ' +
        'for example with $env:WORKSHOP_PORT_LAB = 8988.')
    }
  }
  $script:Container = Get-Container "label=ml4music.workshop=$($script:Service)", 'status=running'
  if (-not $script:Container) { Fail "The container was started and does not run: '.\start.ps1 logs' says more." }
}

function Wait-UntilHealthy {
  Say 'Waiting for the servers ...'
  for ($second = 0; $second -lt $HealthSeconds; $second++) {
    $health = Get-FromDocker 'inspect', '--format', '{{.State.Health.Status}}', $script:Container
    if ($health -eq 'healthy') { return }
    if ($health -ne 'starting') { break }
    Start-Sleep 1
  }
  Say "Not every server of the container answers: '.\start.ps1 logs' shows what they say."
}

function Show-Address([string] $Server) {
  $published = Get-FromDocker 'port', $script:Container, "$($Servers[$Server])/tcp"
  $url = 'http://localhost:' + ($published -split ':')[-1]
  if ($Server -eq 'LAB') {
    $file = Join-Path $State 'jupyter_token'
    if (Test-Path -LiteralPath $file) {
      $url += '/lab/tree/docs/notebooks/README.md?token=' + (Get-Content -LiteralPath $file -Raw).Trim()
    }
  }
  if ($Server -eq 'PLAY') {
    $file = Join-Path $State 'play_token'
    if (Test-Path -LiteralPath $file) { $url += '/?token=' + (Get-Content -LiteralPath $file -Raw).Trim() }
  }
  $Titles[$Server].PadRight(29) + $url
}

# ---- a command inside ----------------------------------------------------------------------------

function Get-InsideFolder {
  $here = (Get-Location).ProviderPath
  if ($here -eq $Root -or $here.StartsWith("$Root\", [StringComparison]::OrdinalIgnoreCase)) {
    return $Inside + $here.Substring($Root.Length).Replace('\', '/')
  }
  return $Inside
}

# Windows PowerShell hands double quotes and empty words on to programs as if they were not there; newer ones do not.
function Get-Quoted([string[]] $Words) {
  if ("$PSNativeCommandArgumentPassing" -notin '', 'Legacy') { return $Words }
  return $Words | ForEach-Object { if ($_) { $_ -replace '(\\*)"', '$1$1\"' } else { '""' } }
}

# What a command that is called in this way says before the commands that it prints, as typed from here.
function Set-Prefix {
  $door = Resolve-Path -Relative -LiteralPath $PSCommandPath
  if ($door -match '\s') { $door = "& '$door'" }
  $script:Prefix = '-e', "WORKSHOP_PREFIX=$door run "
}

# Run a command in the container and end with its exit status.
function Enter-Container([string[]] $Words, [bool] $AsRoot = $false) {
  $options = @('-i', '-w', (Get-InsideFolder))
  foreach ($name in (Get-ChildItem Env:).Name -cmatch $Passed) { $options += '-e', $name }
  $options += $script:Prefix
  $Words = @(Get-Quoted $Words)
  if (-not [Console]::IsInputRedirected -and -not [Console]::IsOutputRedirected) { $options += '-t' }
  if ($AsRoot) { $options += '-u', '0:0', '--privileged', '-e', 'HOME=/root' }
  docker exec @options $script:Container @Words
  exit $LASTEXITCODE
}

# Ctrl-C ends Docker's client, and not the server inside, which would keep its port.
function Stop-Osc {
  Test-Docker 'exec', $script:Container, 'pkill', '-f', 'workshop[.]osc --host 0.0.0.0' | Out-Null
}

# The container cannot reach this computer's own ports. So the server in it prints its answers, each byte as \x.., and
# they are sent from here; what else it prints is printed.
function Enter-Osc([string[]] $Words) {
  if ($Words -match '^--(port|host|answer[_-]to)') {
    Misused ('In the container, WORKSHOP_PORT_OSC and WORKSHOP_ANSWER_TO set the ports: --port, --host and --answer_to ' +
      'are for a server without it.')
  }
  $to = Read-Port 'WORKSHOP_ANSWER_TO' $AnswerTo
  Start-Workshop
  Set-Prefix
  $client = New-Object Net.Sockets.UdpClient
  $Words = @(Get-Quoted $Words)
  $inside = @('-i', '-w', (Get-InsideFolder), '-e', "WORKSHOP_HOST_ROOT=$Root") + $script:Prefix + @($script:Container,
    'python', '-m', 'workshop.osc', '--host', '0.0.0.0', '--port', "$OscPort", '--answer_to', 'output')
  try {
    docker exec @inside @Words | ForEach-Object {
      if ($_.StartsWith('osc ')) {
        $bytes = [byte[]] ($_.Substring(4) -split '\\x' | Where-Object { $_ } | ForEach-Object { [Convert]::ToByte($_, 16) })
        $client.Send($bytes, $bytes.Length, '127.0.0.1', $to) | Out-Null
      } else { $_ }
    }
    $status = $LASTEXITCODE
  } finally { Stop-Osc }
  exit $status
}

function Enter-StartSh([string[]] $Words) { Enter-Container (@('bash', "$Inside/start.sh") + $Words) }

# ---- the verbs -----------------------------------------------------------------------------------

function Invoke-Verb([string] $Verb, [string[]] $Words) {
  switch ($Verb) {
    'shell' {
      Start-Workshop
      Wait-UntilHealthy
      foreach ($server in $Servers.Keys) { if ($server -ne 'LIVE') { Show-Address $server } }
      if ($script:AsRoot) { Enter-Container @('bash') $true }
      Enter-StartSh @('shell')
    }
    'demo' {
      Start-Workshop
      Set-Location -LiteralPath $Root
      Set-Prefix
      Enter-Container @('env', "WORKSHOP_PORT_CHAR_RNN=$(Get-Port 'CHAR_RNN')", 'bash', "$Inside/start.sh", 'demo')
    }
    'test' { Start-Workshop; Set-Location -LiteralPath $Root; Enter-StartSh (@('test') + $Words) }
    'run' {
      if (-not $Words) { Misused "'run' needs a command, for example: .\start.ps1 run python char_rnn/train.py --help" }
      Start-Workshop
      Set-Prefix
      if ($script:AsRoot) { Enter-Container $Words $true }
      Enter-StartSh (@('run') + $Words)
    }
    'lab' { Start-Workshop; Wait-UntilHealthy; Show-Address 'LAB' }
    'docs' { Start-Workshop; Wait-UntilHealthy; Show-Address 'DOCS' }
    'play' { Start-Workshop; Wait-UntilHealthy; Show-Address 'PLAY' }
    'live' { Start-Workshop; Set-Prefix; Enter-StartSh (@('live') + $Words) }
    'osc' { Enter-Osc $Words }
    'freeze' { Misused 'An application for Windows is made without the container: docs/application.md says how.' }
    'player' { Misused 'On Windows the player is built and started by Docker itself: docs/player.md says how.' }
    'sweep' { Misused 'The container has no Ray: docs/sweeps.md says how many trainings run without it, and how in WSL.' }
    'doctor' { Start-Workshop; Enter-StartSh (@('doctor') + $Words) }
    'logs' {
      $there = Get-Container 'label=ml4music.workshop'
      if ($there) { docker logs --tail 30 $there }
      foreach ($name in $Servers.Keys) {
        $file = Join-Path $State "$($name.ToLower()).log"
        if (Test-Path -LiteralPath $file) { "==== $file"; Get-Content -LiteralPath $file -Tail 30 }
      }
    }
    'trainings' {
      $there = Get-Container 'label=ml4music.workshop', 'status=running'
      if (-not $there) { Say 'The container does not run, so nothing trains in it.'; return }
      $script:Container = $there
      Enter-StartSh (@('trainings') + $Words)
    }
    'class' { Misused 'The server of a class needs Linux: start it there, or in WSL, with ./start.sh class' }
    'stop' {
      $there = Get-Container 'label=ml4music.workshop', 'status=running'
      if (-not $there) { Say 'The container does not run.'; return }
      Say 'Stopping the container, after what trains in it has saved ...'
      docker stop -t $GraceSeconds $there | Out-Null
      Say 'Stopped. All that was made is in this folder; .\start.ps1 goes on.'
    }
    'down' {
      $env:COMPOSE_PROFILES = 'gpu'
      Push-Location -LiteralPath $Root
      docker compose down -t $GraceSeconds
      Pop-Location
      Say 'Removed. All that was made is in this folder; .\start.ps1 makes a new container of the same image.'
    }
    'build' {
      if (-not (Build-Image)) { Fail 'Building the image failed: the lines above say why.' }
    }
    'save' {
      if ($Words.Count -ne 1) { Misused "'save' needs one file name, for example: .\start.ps1 save workshop.tar" }
      if ($Words[0] -notlike '*.tar') { Misused "'$($Words[0])' should end in .tar: nothing is compressed here." }
      Assert-Image
      docker save --output "$($Words[0]).part" $script:Image
      if ($LASTEXITCODE -ne 0) {
        Remove-Item -LiteralPath "$($Words[0]).part" -ErrorAction SilentlyContinue
        Fail "'$($Words[0])' could not be written: the lines above say why."
      }
      Move-Item -Force -LiteralPath "$($Words[0]).part" -Destination $Words[0]
    }
    'load' {
      if ($Words.Count -ne 1) { Misused "'load' needs one file name, for example: .\start.ps1 load workshop.tar" }
      if (-not (Test-Path -PathType Leaf -LiteralPath $Words[0])) {
        Fail "There is no file '$($Words[0])': give the one that 'save' wrote."
      }
      docker load --input $Words[0]
      if ($LASTEXITCODE -ne 0) { Fail "'$($Words[0])' is damaged or holds no image: give the file that 'save' wrote." }
    }
  }
}

$Gpu = $false
$AsRoot = $false
$Prefix = @()
$Verb = ''
$Rest = @()
foreach ($word in $args) {
  if ($Verb -in 'run', 'live', 'osc', 'freeze', 'player', 'sweep', 'test', 'doctor', 'trainings', 'class', 'save', 'load') { $Rest += $word }
  elseif ($word -in '--help', '-h', 'help') { Show-Help; exit 0 }
  elseif ($word -eq '--gpu') { $Gpu = $true }
  elseif ($word -eq '--root') { $AsRoot = $true }
  elseif ("$word".StartsWith('-')) {
    Misused "There is no option '$word'; the options are --gpu, --root and --help, before the verb."
  }
  elseif ($Verb) { Misused "'$Verb' takes nothing after it, and '$word' was given." }
  elseif ($word -notin $Verbs) {
    Misused "There is no verb '$word'; the verbs are $($Verbs -join ', ') (.\start.ps1 --help says more)."
  }
  else { $Verb = $word }
}
if (-not $Verb) { $Verb = 'shell' }
if ($AsRoot -and $Verb -notin 'shell', 'run') { Misused "--root is for a shell and for 'run'." }
Assert-Engine
Initialize-Settings
Invoke-Verb $Verb $Rest
