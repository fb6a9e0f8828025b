"""The vendor's SDK for the identity service, unmodified, signs in at the mock server.

From a password to a token, from the token to temporary keys, with which the SDK for DataArts Fabric calls until
they expire by the clock of the mock server. Argument: the endpoint of the mock server.
"""

import sys
from datetime import datetime, timedelta, timezone

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdataartsfabric.v1 import DataArtsFabricClient, ListWorkspacesRequest
from huaweicloudsdkiam.v3 import *

from control import advance_clock

PROJECT = "cn-north-4"
KEY = ("AKIDCONFORMANCE", "the-secret-of-conformance")


def fails(status, call, *arguments):
    try:
        call(*arguments)
    except ClientRequestException as error:
        assert error.status_code == status, error
        return error
    raise AssertionError(f"{arguments} was let in")


def sign_in(password, scope):
    user = PwdPasswordUser(PwdPasswordUserDomain("conformance"), "ada", password)
    auth = PwdAuth(PwdIdentity(["password"], PwdPassword(user)), scope)
    body = KeystoneCreateUserTokenByPasswordRequestBody(auth)
    return KeystoneCreateUserTokenByPasswordRequest(nocatalog="true", body=body)


def main(endpoint):
    # The SDK signs every call, so it has a key here; what signs in is the password.
    credentials = GlobalCredentials(*KEY, "conformance")
    iam = IamClient.new_builder().with_credentials(credentials).with_endpoint(endpoint).build()

    scope = AuthScope(project=AuthScopeProject(name=PROJECT))
    answer = iam.keystone_create_user_token_by_password(sign_in("the password of Ada", scope))
    token = answer.x_subject_token
    assert answer.status_code == 201 and token, answer
    assert answer.token.user.name == "ada" and answer.token.methods == ["password"], answer.token
    assert answer.token.project.name == PROJECT, answer.token
    assert answer.token.issued_at < answer.token.expires_at, answer.token
    project_id = answer.token.project.id
    error = fails(401, iam.keystone_create_user_token_by_password, sign_in("wrong", scope))
    assert error.error_msg, error
    print("  KeystoneCreateUserTokenByPassword: 201 with a token of the project; a wrong password 401")

    listing = iam.keystone_list_projects_invoker(KeystoneListProjectsRequest(name=PROJECT))
    projects = listing.add_header("X-Auth-Token", token).invoke().projects
    assert [(found.id, found.name) for found in projects] == [(project_id, PROJECT)], projects
    print("  KeystoneListProjects: the one project of that name, the same as in the token")

    identity = TokenAuthIdentity(["token"], IdentityToken(token, 900))
    body = CreateTemporaryAccessKeyByTokenRequestBody(TokenAuth(identity))
    request = CreateTemporaryAccessKeyByTokenRequest(body)
    temporary = iam.create_temporary_access_key_by_token(request).credential
    assert temporary.access and temporary.secret and temporary.securitytoken, temporary
    print("  CreateTemporaryAccessKeyByToken: a key with a secret and a security token, for 15 minutes")

    def list_workspaces(key, minutes=0):
        """Calls with a key, signed so many minutes ahead of the time of this machine."""
        fabric = DataArtsFabricClient.new_builder().with_endpoint(endpoint).with_credentials(key).build()
        signed_at = datetime.now(timezone.utc) + timedelta(minutes=minutes)
        call = fabric.list_workspaces_invoker(ListWorkspacesRequest())
        return call.add_header("X-Sdk-Date", signed_at.strftime("%Y%m%dT%H%M%SZ")).invoke()

    permanent = BasicCredentials(*KEY, project_id)
    key = BasicCredentials(temporary.access, temporary.secret, project_id)
    fails(401, list_workspaces, key.with_security_token("another"))
    key = key.with_security_token(temporary.securitytoken)
    assert list_workspaces(key).total == 0
    advance_clock(endpoint, "14m")
    assert list_workspaces(key, minutes=14).total == 0
    advance_clock(endpoint, "2m")
    error = fails(401, list_workspaces, key, 16)
    assert error.error_code == "APIG.0301", error
    assert list_workspaces(permanent, minutes=16).total == 0
    print("  the temporary key signs calls until it expires by the clock of the server; the permanent one still")


main(*sys.argv[1:])
