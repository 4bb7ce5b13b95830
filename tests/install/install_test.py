# SPDX-License-Identifier: Apache-2.0
"""Installs the build tree into a temporary prefix and builds a stranger's project against it.

    install_test.py BUILD_FOLDER CXX_COMPILER CXX_FLAGS
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent

USES = '''
int main() {
  using namespace moat;
  const limit::RateLimiter limiter({.max = 100, .window = std::chrono::minutes{15}});
  const auto address = validate::Email::parse("Ada@Example.com");
  auto store = store::SqliteStore::open("store");
  auto hasher = password::Hasher::standard(system_random());
  const auto settings = sources::load_dotenv();
  if (!address || address->lookup_key() != "ada@example.com") return 1;
  if (!store || !hasher.hash("a password")) return 2;
  if (!settings || settings->secret("NOBODY_GIVES_THIS_SECRET")) return 3;
  return limiter.policy().count() == 100 ? 0 : 4;
}
'''


def run(*command, **keywords):
    done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **keywords)
    if done.returncode != 0:
        raise AssertionError(f'{" ".join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-6000:]}')
    return done.stdout


def check_package(prefix, build):
    """What was installed names nothing of the machine or folder that built it."""
    package = next(prefix.rglob('moat-config.cmake')).parent
    for file in package.glob('*.cmake'):
        text = file.read_text()
        for forbidden in (str(SOURCE), str(build), str(prefix), 'moat_flags', 'PkgConfig::', '.so'):
            # A folder's name may end another's: /moat stands in /usr/include/moat.
            if re.search(r'(?<![\w}./-])' + re.escape(forbidden) if forbidden[0] == '/' else re.escape(forbidden), text):
                raise AssertionError(f'{file.name} names {forbidden}')
    internal = [h for h in (prefix / 'include').rglob('*') if 'internal' in h.parts]
    if internal:
        raise AssertionError(f'internal headers were installed: {internal}')


def main():
    build, compiler, flags = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    with tempfile.TemporaryDirectory(prefix='moat-install-') as folder:
        folder = pathlib.Path(folder)
        prefix, project = folder / 'prefix', folder / 'project'
        run('cmake', '--install', build, '--prefix', prefix)
        check_package(prefix, build)
        # Moved, so that no path of the installation can be relied on.
        prefix = prefix.rename(folder / 'moved')

        shutil.copytree(HERE / 'consumer', project)
        shutil.copy(SOURCE / 'examples' / 'seven' / 'jwt.cc', project)
        headers = sorted((prefix / 'include').rglob('*.h'))
        include = prefix / 'include'
        lines = [f'#include "{h.relative_to(include)}"' for h in headers if 'gateway' not in h.parts]
        if len(lines) < 60:
            raise AssertionError(f'only {len(lines)} headers were installed')
        (project / 'everything.cc').write_text('\n'.join(lines) + USES)

        run('cmake', '-S', project, '-B', folder / 'build', '-G', 'Ninja', f'-DCMAKE_PREFIX_PATH={prefix}',
            '-DCMAKE_BUILD_TYPE=Debug', f'-DCMAKE_CXX_COMPILER={compiler}', f'-DCMAKE_CXX_FLAGS={flags}')
        run('cmake', '--build', folder / 'build', '-j2')
        said = run(folder / 'build' / 'jwt', timeout=60)
        if not re.match(r'the token: user 123\n', said):
            raise AssertionError(said)
        run(folder / 'build' / 'everything', cwd=project, timeout=60)
        said = run(prefix / 'bin' / 'moat', '--version', timeout=60)
        if not re.search(r'\d+\.\d+\.\d+', said):
            raise AssertionError(said)


if __name__ == '__main__':
    main()
